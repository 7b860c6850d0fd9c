//! What surrounds any computation: seed, threads, memory.

use clap::Args;
use juyi::context::{Context, DEFAULT_MEMORY};
use juyi::error::Error;

use super::unused::Given;

/// What surrounds any computation.
#[derive(Args)]
pub(crate) struct Surroundings {
    /// Seed of all randomness
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) seed: u64,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// Memory budget, e.g. 512MiB or 8GiB [default: 4GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_memory, allow_negative_numbers = true)]
    pub(crate) memory: Option<u64>,
    /// What was typed.
    #[arg(skip)]
    pub(crate) given: Given,
}

impl Surroundings {
    /// The context, which says how far the work is; also sets the number of threads of this process.
    pub(crate) fn context(&self) -> anyhow::Result<Context> {
        self.context_unless(false)
    }

    /// The same; without a terminal it says nothing where `quiet` is set.
    pub(crate) fn context_unless(&self, quiet: bool) -> anyhow::Result<Context> {
        if let Some(threads) = self.threads {
            if !(1..=1024).contains(&threads) {
                return Err(Error::Param {
                    owner: "juyi".into(),
                    name: "--threads".into(),
                    must: "between 1 and 1024".into(),
                    got: threads.to_string(),
                }
                .into());
            }
            rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
        }
        let context = Context::new(self.seed, self.memory.unwrap_or(DEFAULT_MEMORY));
        Ok(crate::progress::watched(context.worded_by(crate::terminal::worded), quiet))
    }
}

/// `4GiB`, `512M`, `1000000`: powers of 1024, at least 1 MiB.
fn parse_memory(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let power = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        unit => return Err(format!("`{unit}` is no unit of memory; write e.g. 512MiB or 8GiB")),
    };
    let count: f64 = digits.trim().parse().map_err(|_| format!("`{digits}` is not a number"))?;
    let bytes = count * 1024f64.powi(power);
    if !(bytes >= 1024.0 * 1024.0 && bytes <= 2f64.powi(50)) {
        return Err("the budget must be between 1MiB and 1024TiB".into());
    }
    Ok(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_powers_of_1024() {
        assert_eq!(parse_memory("4GiB"), Ok(4 << 30));
        assert_eq!(parse_memory("1.5g"), Ok(3 << 29));
        assert_eq!(parse_memory("2097152"), Ok(2 << 20));
        for bad in ["", "GiB", "4XiB", "-1GiB", "NaN", "1", "infGiB"] {
            assert!(parse_memory(bad).is_err(), "{bad}");
        }
    }
}
