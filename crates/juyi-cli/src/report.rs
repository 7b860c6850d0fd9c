//! `juyi report`.

use std::process::ExitCode;

use juyi::context::Context;
use juyi::error::Error;
use juyi::report::folder::write_page;

use crate::arguments::ReportArguments;
use crate::terminal::{say, worded};

pub(crate) fn run(arguments: &ReportArguments) -> anyhow::Result<ExitCode> {
    let folder = &arguments.run;
    if folder.is_file() {
        let hint = "give the folder that `juyi transfer` wrote";
        return Err(
            Error::input(format!("`{}`", folder.display()), "is a file, not a run folder", hint).into()
        );
    }
    let page = write_page(folder, &Context::default().worded_by(worded))?;
    say(&format!("written       {}\n", page.display()))?;
    Ok(ExitCode::SUCCESS)
}
