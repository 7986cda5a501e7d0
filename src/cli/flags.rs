//! The settings as flags: clap's arguments are made from the one table in `config`, so that flag,
//! variable, file key and help text cannot drift apart.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::config::{Given, Group, SETTINGS, Setting};

/// Settings that every command takes.
pub const DATA: u8 = Group::Data as u8;
/// Settings of commands that speak to ClickHouse.
pub const STORE: u8 = Group::Store as u8 | Group::Log as u8;
/// All that `serve` takes beside [`DATA`].
pub const SERVE: u8 = STORE | Group::Server as u8 | Group::Collect as u8 | Group::Wal as u8;

/// The flags given, of these groups of settings. Environment and file are not in here.
#[derive(Clone, Debug, Default)]
pub struct Flags<const GROUPS: u8>(pub Given);

fn of(groups: u8) -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(move |setting| setting.group as u8 & groups != 0)
}

fn argument(setting: &'static Setting) -> Arg {
    let default = setting.default.map_or(String::new(), |text| format!(" [default: {text}]"));
    let many = if setting.many { "; may be repeated" } else { "" };
    let help = format!("{}{many}{default} [env: {}]", setting.help, setting.env());
    Arg::new(setting.key)
        .long(setting.key)
        .value_name(setting.value)
        .help(help)
        .help_heading(setting.group.heading())
        .hide(setting.hidden)
        .global(setting.group == Group::Data)
        .allow_hyphen_values(setting.hidden)
        .action(if setting.many { ArgAction::Append } else { ArgAction::Set })
}

impl<const GROUPS: u8> Args for Flags<GROUPS> {
    fn augment_args(command: Command) -> Command {
        of(GROUPS).fold(command, |command, setting| command.arg(argument(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const GROUPS: u8> FromArgMatches for Flags<GROUPS> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Flags::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in of(GROUPS) {
            if let Some(texts) = matches.get_many::<String>(setting.key) {
                self.0.insert(setting.key, texts.cloned().collect());
            }
        }
        Ok(())
    }
}
