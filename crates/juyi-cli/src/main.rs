//! The `juyi` command: arguments in, library calls, text out. Data go to standard output, talk to standard error; exit
//! 0 when done, 1 for a "no", 2 for an error.

mod arguments;
mod bench;
mod data;
#[cfg(feature = "deep")]
mod features;
#[cfg(feature = "deep")]
mod few_labels;
mod measure;
mod methods;
#[cfg(feature = "deep")]
mod networks;
mod predict;
mod progress;
mod report;
mod shell;
mod transfer;
#[cfg(feature = "deep")]
mod tune;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    progress::end_on_interrupt();
    let result = match arguments.command {
        Command::Transfer(arguments) => transfer::run(&arguments),
        Command::Measure(arguments) => measure::run(&arguments),
        Command::Predict(arguments) => predict::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Methods(arguments) => methods::run(&arguments),
        #[cfg(feature = "deep")]
        Command::Networks(arguments) => networks::run(&arguments),
        #[cfg(feature = "deep")]
        Command::Features(arguments) => features::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Data(command) => data::run(&command),
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { command } => shell::man(command.as_deref()),
    };
    match result {
        Ok(code) => code,
        // A reader that has seen enough (`juyi methods | head`) is no error.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let hint = error.downcast_ref::<juyi::error::Error>().and_then(juyi::error::Error::hint);
            let hint = hint.map_or_else(String::new, |hint| format!("\nhint: {hint}\n"));
            let text = format!("error: {error}\n{hint}");
            // Names and cells come from files: nothing in them may act on the terminal.
            let text = text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}");
            let _ = std::io::stderr().write_all(text.as_bytes());
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// What a context noticed, a line each.
fn notes(context: &juyi::context::Context) -> String {
    let notices = context.notices().iter().map(|notice| format!("note: {}: {}\n", notice.from, notice.text));
    notices.collect::<Vec<String>>().concat()
}

/// Writes data to standard output.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
