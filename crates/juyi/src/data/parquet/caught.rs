//! Panics of the `parquet` crate as errors.
//!
//! Fuzzing found assertions in its decoders that a damaged page reaches. What can be told beforehand is refused in
//! `pages`; whatever else there is ends here.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use parquet::errors::{ParquetError, Result};

thread_local! {
    /// Whether panics of this thread are caught, and so not reported.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Does the work; a panic becomes an error and is not reported. Panics of other threads are reported as before.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
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
    done.unwrap_or_else(|_| Err(ParquetError::General("its pages cannot be decoded".into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        assert!(caught(|| -> Result<()> { panic!("not to be seen") }).is_err());
        assert!(caught(|| Ok(1)).is_ok() && !CAUGHT.get());
    }
}
