//! What is said of the preparation of pictures: what is in force, and what a checkpoint states otherwise.

use juyi::context::Context;
use juyi::error::{Result, shown};
use juyi_deep::checkpoint::preparation::Preparation;
use juyi_deep::images::{Changes, Recipe};
use juyi_deep::zoo::{IMAGENET, Recognized, also, beyond, unlike};

/// Puts the changes that are asked for into a network's recipe, and says what holds. `tuned` networks of ours know theirs.
pub(crate) fn prepare(
    found: &mut Recognized,
    changes: &Changes,
    tuned: bool,
    context: &mut Context,
) -> Result<()> {
    let asked = *changes != Changes::default();
    if asked {
        found.architecture.recipe = found.architecture.recipe.changed(changes)?;
        found.architecture.check()?;
    }
    let own = &found.architecture;
    let Recipe { resize, crop, mean, deviation, .. } = &own.recipe;
    let stated = found.preparations.iter().any(|own| own.normalization.is_some());
    let of_imagenet = found.with_head && [IMAGENET, IMAGENET + 1].contains(&own.classes());
    if asked {
        let text = format!(
            "pictures are prepared as asked: {resize:?}, the middle {crop} x {crop}, mean {mean:?}, deviation {deviation:?}"
        );
        context.note("network", text);
    } else if !tuned && !stated {
        let also = also(own);
        let set = "if it was trained otherwise, `--mean`, `--std`, `--resize` and `--crop` set it";
        let more = match also {
            Some(also) if of_imagenet => Some(also.to_string()),
            Some(also) => Some(format!("{also}; {set}")),
            None => (!of_imagenet).then(|| set.to_string()),
        };
        if let Some(more) = more {
            let text = format!(
                "pictures are prepared as `{}` wants them ({resize:?}, the middle {crop} x {crop}, mean {mean:?}, deviation \
                 {deviation:?}); {more}",
                own.name
            );
            context.note("network", text);
        }
    }
    if let Some(other) = found.preparations.iter().find_map(|stated| unlike(stated, &own.recipe)) {
        context.warn("network", otherwise(&other));
    } else if let Some(name) = beyond(own, &found.tensors).filter(|_| !tuned) {
        let text = format!(
            "the variances of `{}` are larger than pictures prepared so can cause: the network seems to take numbers from 0 \
             to 255; `--mean 0,0,0 --std 0.003922,0.003922,0.003922` leaves them so",
            shown(&name)
        );
        context.warn("network", text);
    }
    Ok(())
}

/// That a checkpoint states another preparation than that which is in force.
fn otherwise(other: &Preparation) -> String {
    let place =
        if other.place.is_empty() { String::new() } else { format!(", under `{}`,", shown(&other.place)) };
    if other.blue_first {
        return format!(
            "the file says{place} that its pictures have blue first and red last, which no option sets: here red is first, \
             and answers are not those that the network gives elsewhere"
        );
    }
    let mut flags = Vec::new();
    if let Some([mean, deviation]) = other.normalization {
        flags.push(format!("--mean {} --std {}", three(mean), three(deviation)));
    }
    flags.extend(other.resize.map(|side| format!("--resize {side}")));
    flags.extend(other.crop.map(|side| format!("--crop {side}")));
    let filter = other.filter.as_deref().unwrap_or_default();
    if flags.is_empty() {
        return format!(
            "the file says{place} that pictures are resized by a {filter} filter, which no option sets"
        );
    }
    let what = match (other.normalization.is_some(), flags.len()) {
        (true, 1) => "a mean and a deviation",
        (true, _) => "a mean, a deviation and sizes",
        (false, _) => "sizes",
    };
    let more =
        if filter.is_empty() { String::new() } else { format!("; no option sets its {filter} filter") };
    let flags = flags.join(" ");
    format!(
        "the file has{place} {what} of its own for pictures, which are not used: `{flags}` takes them{more}"
    )
}

/// Three numbers as an option takes them, with as many digits as they need.
fn three(values: [f64; 3]) -> String {
    let digits = |value: f64| if (value * 1000.0).fract().abs() > 0.05 && value < 0.05 { 6 } else { 3 };
    values.map(|value| format!("{value:.*}", digits(value))).join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_states_is_said_with_the_options_that_take_it() {
        let place = String::from("args");
        let own = Preparation { place, normalization: Some([[0.5; 3], [0.25; 3]]), ..Preparation::default() };
        let text = "the file has, under `args`, a mean and a deviation of its own for pictures, which are not used: `--mean \
                    0.500,0.500,0.500 --std 0.250,0.250,0.250` takes them";
        assert_eq!(otherwise(&own), text);
        let bytes =
            Preparation { normalization: Some([[0.0; 3], [1.0 / 255.0; 3]]), ..Preparation::default() };
        assert!(otherwise(&bytes).contains("--std 0.003922,0.003922,0.003922"), "{}", otherwise(&bytes));
        let sizes = Preparation { resize: Some(266), crop: Some(240), ..Preparation::default() };
        assert_eq!(
            otherwise(&sizes),
            "the file has sizes of its own for pictures, which are not used: `--resize 266 --crop 240` takes them"
        );
        let blue = Preparation { blue_first: true, ..own };
        assert!(otherwise(&blue).contains("blue first") && !otherwise(&blue).contains("--mean"));
    }
}
