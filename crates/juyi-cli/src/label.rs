//! `juyi label`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use juyi::context::Context;
use juyi::data::{Encoding, Reading, check_renamed, read_table, table_files};
use juyi::error::Error;
use juyi::files::write_whole;
use juyi::report::folder::{RECORD, check_output, load_model, read};
use juyi::report::thousands;
use juyi::setting::Setting;
use juyi::transfer::rows_to_label;

use crate::arguments::LabelArguments;
use crate::signals::writing;
use crate::terminal::{notes, say_of};

pub(crate) fn run(arguments: &LabelArguments, context: &mut Context) -> anyhow::Result<ExitCode> {
    if arguments.count == 0 {
        return Err(Error::input("`--count`", "is 0", "ask for one row at least").into());
    }
    let record = read(&arguments.run.join(RECORD), context)?;
    let table = arguments.table.as_ref().unwrap_or(&record.data.target.name);
    let (label, out) = (&record.data.label, &arguments.out);
    let files = table_files(table);
    let inputs = [Path::new(table), &arguments.run].into_iter().chain(files.iter().map(PathBuf::as_path));
    check_output(out, Setting::Out, inputs)?;
    let model = load_model(&arguments.run, context)?;
    let mut as_text = model.encoding.as_ref().map(Encoding::text_columns).unwrap_or_default();
    as_text.push(label.clone());
    let id = model.encoding.as_ref().map(|encoding| encoding.id.clone()).unwrap_or_default();
    let mut reading = Reading { label: Some(label.clone()), as_text, id, ..arguments.reading.reading() };
    model.encoding.iter().for_each(|encoding| encoding.add_words_to(&mut reading));
    let target = read_table(table, &reading, context)?;
    check_renamed(&reading, std::iter::once(&target))?;
    let rows = rows_to_label(&model, &target, label, arguments.count, context)?;
    let bytes = rows.to_csv()?;
    let writing = writing();
    write_whole(out, &bytes)?;
    drop(writing);
    let text = format!(
        "{}{} of {} rows written to {}: fill in `{label}`, and give it to `juyi transfer` as `--labels`\n",
        notes(context),
        thousands(rows.rows),
        thousands(target.rows),
        out.display()
    );
    say_of(out, &text)?;
    Ok(ExitCode::SUCCESS)
}
