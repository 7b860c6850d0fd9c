//! Models of any origin, judged by what they say.

use juyi::choice::{Reading, Verdict};
use juyi::context::Context;
use juyi::data::{Cells, Column, Goal, Shift, ShiftKind, Shifted, Table};
use juyi::report::{Predictions, Run};
use juyi::transfer::{Given, Outcome, Settings, judge_predictions, transfer};

/// Two tables of which the second has its columns moved.
fn moved() -> Shifted {
    let shift = Shift {
        kind: ShiftKind::Conditional,
        rows: (200, 160),
        columns: 5,
        classes: Some(2),
        strength: 2.0,
        noise: 0.1,
    };
    shift.draw(&Context::new(3, 1 << 30)).expect("tables")
}

fn context() -> Context {
    Context::new(5, 1 << 30)
}

/// A table of answers.
fn said(answers: impl Iterator<Item = String>) -> Table {
    let cells = Cells::from_text(answers.map(Some));
    let rows = cells.len();
    Table {
        name: "said.csv".into(),
        rows,
        columns: vec![Column { name: "prediction".into(), cells }],
        ..Table::default()
    }
}

fn read_as(reading: Reading) -> Settings {
    Settings { assume: Some(reading), ..Settings::default() }
}

fn predicted(outcome: &Outcome) -> Table {
    let Predictions { answers, .. } = &outcome.predictions;
    let Goal::Classes(names) = &outcome.model.goal else { panic!("classes") };
    said(answers.answer.iter().map(|class| names[*class as usize].clone()))
}

fn judged(target: Table, source: Option<Table>) -> Run {
    let drawn = moved();
    let given = Given { target, source };
    judge_predictions(vec![drawn.source], drawn.target, &given, &read_as(Reading::Rescaled), &mut context())
        .expect("a run")
}

fn verdict(run: &Run) -> Verdict {
    run.select.as_ref().expect("judged").verdict
}

#[test]
fn what_a_transfer_writes_is_judged_as_the_transfer_was() {
    let drawn = moved();
    let own = transfer(vec![drawn.source], drawn.target, &read_as(Reading::Rescaled), &mut context())
        .expect("a run");
    let before = own.run.select.as_ref().expect("chosen");
    assert_eq!(before.verdict, Verdict::Transfer);
    let run = judged(predicted(&own), None);
    let choice = run.select.as_ref().expect("judged");
    assert_eq!(choice.verdict, before.verdict);
    assert!(choice.gain.value > 0.0 && choice.gain.low <= choice.gain.value, "{:?}", choice.gain);
    assert_eq!(run.transfer.chosen.scores, own.run.transfer.chosen.scores);
    assert_eq!(choice.true_gain, before.true_gain);
    let expected = choice.expected.expect("of classes");
    assert!(expected.low <= expected.value && expected.value <= expected.high && choice.floor.is_some());
}

#[test]
fn a_model_that_does_not_transfer_and_one_that_guesses_are_not_taken_for_better() {
    let drawn = moved();
    let settings = read_as(Reading::SameUnits);
    let plain = transfer(vec![drawn.source], drawn.target, &settings, &mut context()).expect("a run");
    let plain = judged(predicted(&plain), None);
    assert_eq!(verdict(&plain), Verdict::DoNotTransfer);
    let gain = plain.select.as_ref().expect("judged").gain;
    assert!(gain.value.abs() < 0.05, "{gain:?}");
    let classes =
        |run: &Run| run.data.sources[0].classes.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let names = classes(&plain);
    let guessed = judged(said((0..160).map(|row| names[(row * 7 + row / 3) % 2].clone())), None);
    let choice = guessed.select.as_ref().expect("judged");
    assert_eq!(choice.verdict, Verdict::DoNotTransfer);
    assert!(
        choice.gain.value < 0.0 && choice.reason.contains("the vote of what was tried is with them"),
        "{choice:?}"
    );
    let expected =
        |run: &Run| run.select.as_ref().and_then(|choice| choice.expected).expect("of classes").value;
    assert!(expected(&guessed) < expected(&plain));
}

#[test]
fn answers_for_the_source_tell_of_classes_in_another_order() {
    let drawn = moved();
    let labels = drawn.source.columns.last().expect("the label").cells.clone();
    let own: Vec<String> = (0..200).map(|row| labels.text(row).expect("a label")).collect();
    let mut names = own.clone();
    names.sort();
    names.dedup();
    let target = said((0..160).map(|row| names[row % 2].clone()));
    let other = |name: &String| names[usize::from(*name == names[0])].clone();
    let run = judged(target.clone(), Some(said(own.iter().map(other))));
    let of_source = run.judged.as_ref().and_then(|judged| judged.on_source);
    assert_eq!(of_source, Some(0.0));
    assert!(
        run.notices.iter().any(|notice| notice.text.contains("stand in this order")),
        "{:?}",
        run.notices
    );
    let run = judged(target, Some(said(own.into_iter())));
    assert_eq!(run.judged.as_ref().and_then(|judged| judged.on_source), Some(1.0));
}
