//! `juyi report`.

use std::process::ExitCode;

use juyi::context::Context;
use juyi::error::Error;
use juyi::models::write_whole;
use juyi::report::{html, read};

use crate::arguments::ReportArguments;
use crate::terminal::say;

pub(crate) fn run(arguments: &ReportArguments) -> anyhow::Result<ExitCode> {
    let folder = &arguments.run;
    if folder.is_file() {
        let hint = "give the folder that `juyi transfer` wrote";
        return Err(
            Error::input(format!("`{}`", folder.display()), "is a file, not a run folder", hint).into()
        );
    }
    let page = folder.join("report.html");
    write_whole(&page, html(&read(&folder.join("run.json"), &Context::default())?).as_bytes())?;
    say(&format!("written       {}\n", page.display()))?;
    Ok(ExitCode::SUCCESS)
}
