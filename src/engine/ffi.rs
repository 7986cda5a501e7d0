//! The few calls into `libchdb.so`: the only `unsafe` of the program.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;

/// Loads the library and runs `clickhouse local` with these arguments until it ends.
///
/// # Errors
/// The library cannot be loaded, or is not one this build knows.
pub(super) fn run_local(library: &Path, arguments: &[CString]) -> Result<(), String> {
    type Entry = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void;
    // SAFETY: its initialisers run here, in a process started for nothing else; the library was named
    // by the operator and is trusted as the program itself is.
    let library = unsafe { libloading::Library::new(library) }.map_err(|e| e.to_string())?;
    // SAFETY: chdb's public header declares `query_stable_v2(int, char **)` returning a pointer; the
    // version is pinned in ci/fetch.
    let entry = unsafe { library.get::<Entry>(b"query_stable_v2\0") }.map_err(|e| e.to_string())?;
    let mut pointers: Vec<*mut c_char> = arguments.iter().map(|a| a.as_ptr().cast_mut()).collect();
    pointers.push(std::ptr::null_mut());
    let count = c_int::try_from(arguments.len()).expect("a dozen arguments");
    // SAFETY: as in `main`, `count` strings ended by NUL and one null pointer, alive for the whole call.
    let _result = unsafe { entry(count, pointers.as_mut_ptr()) };
    // The process ends now: unloading would run destructors while the library's threads still live.
    std::mem::forget(library);
    Ok(())
}
