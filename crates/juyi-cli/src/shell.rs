//! `juyi completions` and `juyi man`, both from the flag definitions, and `juyi notices`.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;
use juyi::error::Error;

use crate::arguments::Arguments;
use crate::terminal::hand_over;

/// Written by the command that CONTRIBUTING.md names.
const NOTICES: &str = include_str!("../notices/NOTICES.txt");

pub(crate) fn notices() -> anyhow::Result<ExitCode> {
    hand_over(NOTICES)?;
    #[cfg(feature = "deep")]
    hand_over(&format!("\n{}", juyi_deep::checkpoint::class_names::NOTICE))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn completions(shell: Shell) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "juyi", &mut script);
    hand_over(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(name: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut all = Arguments::command();
    all.build();
    let command = match name {
        None => all,
        Some(name) => {
            let one = all.get_subcommands().find(|command| command.get_name() == name).cloned();
            one.ok_or_else(|| Error::Unknown {
                kind: "command".into(),
                name: name.into(),
                known: all.get_subcommands().map(|command| command.get_name().to_string()).collect(),
            })?
        }
    };
    let title = name.map_or_else(|| "juyi".into(), |name| format!("juyi-{name}"));
    let mut page = Vec::new();
    clap_mangen::Man::new(command).title(title).render(&mut page)?;
    hand_over(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::SUCCESS)
}
