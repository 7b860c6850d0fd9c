//! The `juyi` command: arguments in, library calls, text out. Data go to standard output, talk to standard error; exit
//! 0 when done, 1 for a "no", 2 for an error.

mod arguments;
mod bench;
#[cfg(feature = "deep")]
mod classify;
mod data;
#[cfg(feature = "deep")]
mod features;
#[cfg(feature = "deep")]
mod few_labels;
mod judge;
mod known_answers;
mod label;
mod measure;
mod methods;
#[cfg(feature = "deep")]
mod networks;
#[cfg(feature = "deep")]
mod pictures;
mod predict;
#[cfg(feature = "deep")]
mod preparation;
mod progress;
mod rank;
mod report;
mod results;
mod shell;
mod signals;
mod sources;
mod sweep;
mod terminal;
mod transfer;
#[cfg(feature = "deep")]
mod tune;

use std::process::ExitCode;

use arguments::{Arguments, Command, Surroundings};
use juyi::context::Context;
use juyi::error::harmless;
use terminal::{notes, say_aside, worded};

fn main() -> ExitCode {
    let arguments = match Arguments::typed() {
        Ok(arguments) => arguments,
        Err(error) => return unusable(&error),
    };
    signals::end_in_order();
    let result = match arguments.command {
        Command::Transfer(own) => told(&own.surroundings, own.quiet, |context| transfer::run(&own, context)),
        Command::Measure(own) => told(&own.surroundings, false, |context| measure::run(&own, context)),
        Command::Judge(own) => told(&own.surroundings, own.quiet, |context| judge::run(&own, context)),
        Command::Rank(own) => told(&own.surroundings, false, |context| rank::run(&own, context)),
        Command::Predict(own) => told(&own.surroundings, false, |context| predict::run(&own, context)),
        Command::Label(own) => told(&own.surroundings, false, |context| label::run(&own, context)),
        Command::Report(arguments) => report::run(&arguments),
        Command::Methods(arguments) => methods::run(&arguments),
        #[cfg(feature = "deep")]
        Command::Networks(arguments) => networks::run(&arguments),
        #[cfg(feature = "deep")]
        Command::Features(own) => told(&own.surroundings, false, |context| features::run(&own, context)),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Data(command) => data::run(&command),
        Command::Notices => shell::notices(),
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { command } => shell::man(command.as_deref()),
    };
    result.unwrap_or_else(|error| {
        let hint = error.downcast_ref::<juyi::error::Error>().and_then(juyi::error::Error::hint);
        let hint = hint.map_or_else(String::new, |hint| format!("\nhint: {}\n", harmless(&worded(&hint))));
        // Where standard error is closed too, the exit status is all that is left.
        let _ = say_aside(&format!("error: {}\n{hint}", harmless(&worded(&error.to_string()))));
        ExitCode::from(2)
    })
}

/// A command with its context. What was noticed before an error is said with it: it may be the cause.
fn told(
    surroundings: &Surroundings,
    quiet: bool,
    run: impl FnOnce(&mut Context) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let mut context = surroundings.context_unless(quiet)?;
    let done = run(&mut context);
    if done.is_err() {
        let _ = say_aside(&notes(&context)); // the error is to be said in any case
    }
    done
}

/// Help that was asked for, or what is wrong with the arguments.
fn unusable(error: &clap::Error) -> ExitCode {
    let harmless = |word: std::ffi::OsString| word.to_str().is_some_and(|word| harmless(word) == word);
    if std::env::args_os().all(harmless) {
        error.exit()
    }
    let _ = say_aside(&error.render().to_string()); // without colours
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
