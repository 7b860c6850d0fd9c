//! Panics of crates that read foreign files, as nothing.
//!
//! Fuzzing found assertions in the decoders of `parquet` that a damaged page reaches. What can be told beforehand is
//! refused by our readers; whatever else there is ends here.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether panics of this thread are caught, and so not reported.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Does the work; `None` for a panic, which is not reported. Panics of other threads are reported as before.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = take_hook();
        set_hook(Box::new(move |panic| {
            if !CAUGHT.get() {
                report(panic);
            }
        }));
    });
    CAUGHT.set(true);
    let done = catch_unwind(AssertUnwindSafe(work)); // what the work has left is not used again
    CAUGHT.set(false);
    done.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_nothing() {
        assert!(caught(|| panic!("not to be seen")).is_none());
        assert!(caught(|| 1) == Some(1) && !CAUGHT.get());
    }
}
