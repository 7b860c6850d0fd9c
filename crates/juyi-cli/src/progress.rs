//! A progress bar on a terminal, for steps that take more than two seconds.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use juyi::context::{Context, Notice, Watcher};
use juyi::error::harmless;

use crate::terminal::say_aside;

/// How long a command works before it shows a bar.
const PATIENCE: Duration = Duration::from_secs(2);

/// The bar of this command; nothing is drawn where standard error is no terminal.
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

/// Writes to standard error what is to be known at once, where that is no terminal.
#[derive(Debug)]
struct Plain;

impl Watcher for Plain {
    fn watch(&self, _step: &str, _done: usize, _all: usize) {}

    fn hear(&self, notice: &Notice) {
        say(notice);
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

/// The same context, watched by a bar if standard error is a terminal.
pub(crate) fn watched(context: Context) -> Context {
    if !std::io::stderr().is_terminal() {
        return context.watched_by(Arc::new(Plain));
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
