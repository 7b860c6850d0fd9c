//! `juyi bench office-caltech-tuning`: what helps with few labelled photographs.

use std::process::ExitCode;

use juyi::context::Context;
use juyi::error::Error;
use juyi_deep::tuning::Pictures;
use juyi_deep::tuning::table::{Cell, LABELLED, LINES, Line, cell};

use crate::arguments::BenchArguments;
use crate::pictures::{choose_device, labelled, listing, read, reading};
use crate::terminal::say;

/// The name of the table.
pub(crate) const TABLE: &str = "office-caltech-tuning";
/// The photographs below the data folder.
const PHOTOGRAPHS: &str = "office_caltech10/images/amazon";

pub(crate) fn run(arguments: &BenchArguments) -> anyhow::Result<ExitCode> {
    let mut context = arguments.surroundings.context()?;
    let Some(network) = &arguments.network else {
        let problem = "takes the checkpoint of a network";
        return Err(Error::input(format!("`{TABLE}`"), problem, "give it with `--network`").into());
    };
    choose_device(&arguments.pictures)?;
    let found = read(network, &arguments.pictures, &mut context)?;
    let folder = arguments.data().join(PHOTOGRAPHS);
    let entries = listing(&folder, &juyi::data::Reading::default(), &mut context)?.entries;
    let pictures = labelled(&entries, &reading(&arguments.pictures), &arguments.pictures);
    let lines: Vec<&Line> = match &arguments.method {
        None => LINES.iter().collect(),
        Some(name) => {
            let own: Vec<&Line> = LINES.iter().filter(|line| line.label == name).collect();
            if own.is_empty() {
                let known = LINES.iter().map(|line| line.label.to_string()).collect();
                return Err(Error::Unknown { kind: "line".into(), name: name.clone(), known }.into());
            }
            own
        }
    };
    if !arguments.json {
        say(&format!(
            "Amazon photographs of Office-Caltech10: labelled ones a class drawn {} times, tested on all others\n\
             {:<16}{:>9}{:>11}{:>12}{:>10}\n",
            arguments.draws, "tuning", "labelled", "accuracy", "deviation", "seconds"
        ))?;
    }
    for line in lines {
        for &count in arguments.labelled.as_ref().map_or(&LABELLED[..], std::slice::from_ref) {
            say(&row(&found, &pictures, line, count, arguments, &context)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The mean over the draws as a line of the table.
fn row(
    found: &juyi_deep::zoo::Recognized,
    pictures: &Pictures,
    line: &Line,
    count: usize,
    arguments: &BenchArguments,
    context: &Context,
) -> anyhow::Result<String> {
    let draws = arguments.draws.max(1);
    let mut cells: Vec<Cell> = Vec::with_capacity(draws);
    for draw in 0..draws {
        let mut own = context.reseeded(context.seed().wrapping_add(draw as u64));
        cells.push(cell(found, pictures, line, count, &mut own)?);
    }
    let mean = |part: fn(&Cell) -> f64| cells.iter().map(part).sum::<f64>() / draws as f64;
    let (accuracy, seconds) = (mean(|own| own.accuracy), mean(|own| own.seconds));
    let squares: f64 = cells.iter().map(|own| (own.accuracy - accuracy).powi(2)).sum();
    let deviation = (squares / (draws - 1).max(1) as f64).sqrt();
    Ok(if arguments.json {
        let label = line.label;
        serde_json::json!({ "tuning": label, "labelled": count, "draws": draws, "accuracy": accuracy,
            "deviation": deviation, "seconds": seconds })
        .to_string()
            + "\n"
    } else {
        format!("{:<16}{count:>9}{accuracy:>11.2}{deviation:>12.2}{seconds:>10.1}\n", line.label)
    })
}
