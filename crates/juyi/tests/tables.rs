//! Published tables on real data, where `JUYI_DATA` names the folder that holds them; `juyi bench` runs the
//! same and, in release mode, the lines that take longer.

#![allow(clippy::print_stderr)] // a test that is skipped says so

use std::path::PathBuf;

use juyi::context::Context;
use juyi::data::read_table;
use juyi::tables::{run, table};

fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("JUYI_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: JUYI_DATA is not set");
    }
    folder
}

fn check(name: &str, method: &str) {
    let Some(data) = data() else { return };
    let table = table(name).expect("it is listed");
    let context = Context::default();
    let read = |spec: &str| read_table(spec, None, &[], &context);
    let rows = run(table, read, &data, Some(method), &context, |_| {}).expect("the table runs");
    assert!(rows.iter().any(|row| row.within.is_some()));
    for row in rows {
        assert_ne!(row.within, Some(false), "{row:?}");
    }
}

#[test]
fn office_caltech_without_transfer() {
    check("office-caltech-surf", "none");
}

#[test]
fn office_caltech_easytl() {
    check("office-caltech-surf", "easytl");
}

#[test]
fn office_caltech_subspace_alignment() {
    check("office-caltech-surf", "subspace-alignment");
}

#[test]
fn office_caltech_pca() {
    check("office-caltech-surf", "pca");
}

#[test]
fn office_caltech_gfk() {
    check("office-caltech-surf", "gfk");
}

#[test]
fn digits_without_transfer() {
    check("digits-jda", "none");
}

#[test]
fn digits_jda() {
    check("digits-jda", "jda");
}

#[test]
fn digits_gfk() {
    check("digits-jda", "gfk");
}

#[test]
fn digits_tjm() {
    check("digits-jda", "tjm");
}

#[test]
fn amazon_easytl() {
    check("amazon-reviews", "easytl");
}
