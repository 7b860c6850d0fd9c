//! An orderly end where a signal asks for it: not while files are written, and with the exit status that a shell gives it.

#[cfg(unix)]
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::terminal::say_aside;

/// Held while files are written: the end waits for it, so that no file is left half-written and none is missing.
static WRITING: Mutex<()> = Mutex::new(());

/// Until it is dropped, no signal ends the process.
pub(crate) fn writing() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is said where a signal ends the process.
static LAST_WORDS: Mutex<Option<Words>> = Mutex::new(None);

type Words = Box<dyn Fn() -> String + Send>;

/// From here on this is said, to standard error, where a signal ends the process.
pub(crate) fn last_words(words: impl Fn() -> String + Send + 'static) {
    *LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(words));
}

fn say_last_words() {
    if let Some(words) = &*LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner) {
        let _ = say_aside(&words()); // the end comes in any case
    }
}

/// Ends the process with 128 + the number of the signal on Ctrl-C (130), where it is terminated (143) or its terminal
/// closes (129). Where no handler can be set it ends as the system has it.
#[cfg(unix)]
pub(crate) fn end_in_order() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, signal::SIGXFSZ};
    // Where files may not grow beyond a limit, writing fails and says so; the signal would end the process without a word.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    // `nohup` starts a command with SIGHUP ignored, and so it stays.
    let closed = (!ignored(SIGHUP)).then_some(SIGHUP);
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM].into_iter().chain(closed))
    else {
        return;
    };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let _until_written = writing();
            say_last_words();
            std::process::exit(128 + signal);
        }
    });
}

/// Whether the process was started with this signal ignored, where the system tells.
#[cfg(unix)]
fn ignored(signal: i32) -> bool {
    let mask = || {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    };
    mask().unwrap_or(0) >> (signal - 1) & 1 == 1
}

/// Ends the process with 130 on Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn end_in_order() {
    let _ = ctrlc::set_handler(|| {
        let _until_written = writing();
        say_last_words();
        std::process::exit(130);
    });
}
