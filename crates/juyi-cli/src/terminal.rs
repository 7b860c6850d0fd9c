//! What the program prints. Names and cells come from files: in text for people nothing may act on the terminal. A reader
//! that has seen enough (`juyi methods | head`) is no error, and changes no exit status.

use std::io::{ErrorKind, IsTerminal, Result, Write};
use std::path::Path;

use juyi::context::Context;
use juyi::error::harmless;
use juyi::files::is_stream;
use juyi::setting;

/// Text for people, to standard output.
pub(crate) fn say(text: &str) -> Result<()> {
    write(std::io::stdout().lock(), &lines(text))
}

/// Text for people, to standard error.
pub(crate) fn say_aside(text: &str) -> Result<()> {
    write(std::io::stderr().lock(), &lines(text))
}

/// Text for people about a file that was written: where it was written to as it came it may be standard output itself.
pub(crate) fn say_of(file: &Path, text: &str) -> Result<()> {
    if is_stream(file) { say_aside(text) } else { say(text) }
}

/// Data, to standard output: as they are, unless people look at them.
pub(crate) fn hand_over(data: &str) -> Result<()> {
    let out = std::io::stdout();
    if out.is_terminal() { say(data) } else { write(out.lock(), data) }
}

/// A message of the libraries, with settings as the flags of this command.
pub(crate) fn worded(text: &str) -> String {
    setting::worded(text, |setting, value| match value {
        Some(value) => format!("--{} {value}", setting.name()),
        None => format!("--{}", setting.name()),
    })
}

/// What a context noticed, a line each.
pub(crate) fn notes(context: &Context) -> String {
    let notices = context.notices().iter();
    let line = |notice: &juyi::context::Notice| {
        format!("note: {}\n", harmless(&format!("{}: {}", notice.from, notice.text)))
    };
    notices.map(line).collect()
}

/// Lines in which nothing acts on the terminal.
fn lines(text: &str) -> String {
    let line = |line: &str| match line.strip_suffix('\n') {
        Some(line) => harmless(line) + "\n",
        None => harmless(line),
    };
    text.split_inclusive('\n').map(line).collect()
}

fn write(mut out: impl Write, text: &str) -> Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
