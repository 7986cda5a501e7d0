//! The `tallyhouse` program.

fn main() -> std::process::ExitCode {
    if let Some(code) = tallyhouse::engine::child::entry(std::env::args_os()) {
        return code;
    }
    std::process::ExitCode::SUCCESS
}
