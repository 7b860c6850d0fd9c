//! How far a command is: a bar on a terminal, for steps that take more than two seconds, else a line now and then.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use juyi::context::{Context, Notice, Watcher};
use juyi::error::harmless;

use crate::terminal::say_aside;

/// How long a command works before it shows a bar.
const PATIENCE: Duration = Duration::from_secs(2);

/// The bar of this command.
#[derive(Debug)]
struct Bar {
    bar: ProgressBar,
    /// The step, and whether its parts are counted.
    step: Mutex<(String, bool)>,
}

impl Watcher for Bar {
    fn watch(&self, step: &str, done: usize, all: usize) {
        let mut current = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = all > 0;
        // What follows a colon is news of the same step.
        let name = step.split(':').next().unwrap_or(step);
        let begins = current.0 != name;
        if begins {
            self.bar.reset();
        }
        self.bar.set_message(harmless(step));
        if begins || current.1 != counted {
            *current = (name.to_string(), counted);
            let template = if counted {
                "{spinner} {msg} [{bar:30}] {pos}/{len} {elapsed}, about {eta} left"
            } else {
                "{spinner} {msg} {elapsed}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style);
            }
        }
        self.bar.set_length(all as u64);
        self.bar.set_position(done as u64);
    }

    fn hear(&self, notice: &Notice) {
        self.bar.suspend(|| say(notice));
    }
}

/// How often a command says how far it is where standard error is no terminal.
const INTERVAL: Duration = Duration::from_secs(10);

/// Writes lines to standard error where that is no terminal: what is to be known at once, and now and then how far the
/// work is.
#[derive(Debug, Default)]
struct Lines {
    /// The step, and how many of its parts are done.
    at: Mutex<(String, usize, usize)>,
}

impl Watcher for Lines {
    fn watch(&self, step: &str, done: usize, all: usize) {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = (step.into(), done, all);
    }

    fn hear(&self, notice: &Notice) {
        say(notice);
    }
}

impl Lines {
    /// How far the work is after so long.
    fn line(&self, elapsed: Duration) -> String {
        let (step, done, all) = &*self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = if *all > 0 { format!(", {done} of {all}") } else { String::new() };
        let step = if step.is_empty() { "working" } else { step };
        format!("{}{parts}, {} s so far\n", harmless(step), elapsed.as_secs())
    }
}

/// A notice on standard error; that nobody listens there is no failure of the run.
fn say(notice: &Notice) {
    let _ = say_aside(&format!("warning: {}\n", harmless(&notice.text)));
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The same context, watched by a bar if standard error is a terminal, else by lines; `quiet` leaves out the lines.
pub(crate) fn watched(context: Context, quiet: bool) -> Context {
    if !std::io::stderr().is_terminal() {
        let lines = Arc::new(Lines::default());
        let (heard, begin) = (Arc::downgrade(&lines), Instant::now());
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(INTERVAL);
                let Some(lines) = heard.upgrade().filter(|_| !quiet) else { return };
                let _ = say_aside(&lines.line(begin.elapsed())); // that nobody listens is no failure of the run
            }
        });
        return context.watched_by(lines);
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    bar.enable_steady_tick(Duration::from_millis(200));
    let patient = bar.downgrade();
    std::thread::spawn(move || {
        std::thread::sleep(PATIENCE);
        if let Some(bar) = patient.upgrade() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    });
    context.watched_by(Arc::new(Bar { bar, step: Mutex::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_the_work_is() {
        let lines = Lines::default();
        assert_eq!(lines.line(Duration::from_secs(10)), "working, 10 s so far\n");
        lines.watch("comparing methods", 3, 45);
        assert_eq!(lines.line(Duration::from_millis(20_400)), "comparing methods, 3 of 45, 20 s so far\n");
        lines.watch("reading a.csv", 0, 0);
        assert_eq!(lines.line(Duration::from_secs(30)), "reading a.csv, 30 s so far\n");
    }
}
