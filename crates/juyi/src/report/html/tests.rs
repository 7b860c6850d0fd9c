use super::*;
use crate::report::{DataFacts, Figures, TransferFacts};

/// A record with something in every field.
const RECORD: &str = include_str!("../../../tests/report/run.json");

fn record() -> Run {
    serde_json::from_str(RECORD).unwrap()
}

/// The record with `text` in place of every text that may come from files.
fn hostile(text: &str) -> Run {
    fn replace(value: &mut serde_json::Value, text: &str) {
        match value {
            serde_json::Value::String(old) => *old = text.into(),
            serde_json::Value::Array(all) => all.iter_mut().for_each(|value| replace(value, text)),
            serde_json::Value::Object(fields) => {
                let fixed = ["task", "verdict", "level", "shown"];
                fields.iter_mut().filter(|(name, _)| !fixed.contains(&name.as_str())).for_each(
                    |(_, value)| {
                        replace(value, text);
                    },
                );
                if let Some(params) = fields.get_mut("params") {
                    *params = serde_json::json!({ text: text });
                }
            }
            _ => {}
        }
    }
    let mut value = serde_json::from_str(RECORD).unwrap();
    replace(&mut value, text);
    serde_json::from_value(value).unwrap()
}

#[test]
fn the_record_of_the_tests_is_of_this_version() {
    assert_eq!(record().version, env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_page_has_every_section_in_order() {
    let page = html(&record());
    let mut last = 0;
    for part in [
        "Transfer: tca is estimated to get 12.3 points (95 %: 8.1 to 16.0) more right than not transferring.",
        "two assumptions bear the estimate out",
        "<code>said &lt;b&gt;elsewhere&lt;/b&gt;.csv</code>: right on 94.0 % of the source; learners that do not transfer right on 91.0 %",
        "expected to be right (95\u{a0}%: 70\u{a0}% to 92\u{a0}%; at least 72\u{a0}% in 19 of 20 tasks)</dt><dd>81\u{a0}%",
        "true gain, seen afterwards</dt><dd>+16.1 points",
        "Scored on 565 target rows",
        "<h2>Data</h2>",
        "<strong>Warning</strong> data: column <code>batch</code>",
        "<strong>Note</strong> tca",
        "<h2>How far apart</h2>",
        "0.0712 to 0.0981",
        "&lt; 0.001",
        "<h2>What has moved</h2>",
        "temperature_3",
        "<h2>Candidates</h2>",
        "<span class=\"badge\">baseline</span>",
        "<strong>failed:</strong> exact-transport needs 6.1 GiB",
        "What is assumed",
        "<h2>What the network is worth</h2>",
        "frozen checkpoint over colour histograms: +41.2 points (95 %: +35.0 to +47.4)",
        "labels saved against colour histograms: at least 75 %",
        "<h2>Before and after</h2>",
        "Scatter plot: 60 source rows as filled circles, 60 target rows as open triangles",
        "<h2>Class by class</h2>",
        "Confusion of not transferring",
        "Confusion of tca",
        "<h2>Learning</h2>",
        "trained on: from 2.100 to 0.400; kept aside: from 1.900 to 1.150",
        "4 epochs",
        "<h2>Samples</h2>",
        "alt=\"row 77: true scrap &lt;2 %, predicted rework\"",
        "<h3>Least sure</h3>",
        "21\u{a0}% sure",
        "<h2>Record</h2>",
        "juyi transfer --source plant-a-2023.csv",
        "--drop &#39;batch number&#39;",
        "178.8 MiB",
        "components",
        "Juyi 0.1.0",
    ] {
        let at = page[last..].find(part);
        last += at.unwrap_or_else(|| panic!("`{part}` is missing or stands elsewhere"));
    }
    assert_eq!(page, html(&record()), "the page depends on the record alone");
}

#[test]
fn what_is_not_there_leaves_no_empty_section() {
    let whole = record();
    let bare = Run {
        data: DataFacts { distances: vec![], moved: vec![], ..whole.data.clone() },
        select: None,
        transfer: TransferFacts { baseline: None, ..whole.transfer.clone() },
        figures: Figures::default(),
        command: vec![],
        notices: vec![],
        ..whole
    };
    let page = html(&bare);
    assert_eq!(page.matches("<h2>").count(), 2); // data, record
    assert!(page.contains("<h1>Without transfer, tca gets 88.85 % of 565 rows right.</h1>"));
    let mut unscored = bare;
    unscored.transfer.chosen.scores = None;
    assert!(html(&unscored).contains("predicted 2,310 rows; there was no target label to score them with."));
}

#[test]
fn the_verdict_follows_the_guard() {
    use crate::choice::Verdict;
    use crate::measures::Estimate;
    let heading = |verdict, value, low, high| {
        let mut run = record();
        let choice = run.select.as_mut().unwrap();
        (choice.verdict, choice.gain) = (verdict, Estimate { value, low, high });
        let page = html(&run);
        let (_, rest) = page.split_once("<h1>").unwrap();
        rest.split_once("</h1>").unwrap().0.to_string()
    };
    assert_eq!(
        heading(Verdict::DoNotTransfer, -0.021, -0.04, -0.01),
        "Do not transfer: tca is estimated to get 2.1 points (95 %: 1.0 to 4.0) fewer right than not transferring."
    );
    assert_eq!(
        heading(Verdict::CannotTell, 0.01, -0.02, 0.04),
        "Cannot tell whether to transfer: tca is estimated to get 1.0 points (95 %: −2.0 to 4.0) more right than not \
         transferring."
    );
    assert_eq!(
        heading(Verdict::DoNotTransfer, 0.05, 0.02, 0.08),
        "Do not transfer, although tca is estimated to get 5.0 points (95 %: 2.0 to 8.0) more right than not transferring."
    );
}

#[test]
fn transfer_that_is_refused_in_spite_of_a_gain_is_refused_with_its_reason() {
    let mut run = record();
    let choice = run.select.as_mut().unwrap();
    choice.verdict = crate::choice::Verdict::DoNotTransfer;
    choice.gain = crate::measures::Estimate { value: 0.05, low: 0.02, high: 0.08 };
    choice.reason = "The source cannot be learnt.".into();
    let said = "The estimated gain does not decide here. The source cannot be learnt.";
    assert!(html(&run).contains(&format!("<p class=\"why\">{said}")));
    let lines = crate::report::text(&run);
    assert!(
        lines.contains("do not transfer, for another reason than the gain: estimated gain +5.0 points"),
        "{lines}"
    );
    assert!(lines.contains(said), "{lines}");
}

#[test]
fn hostile_names_stay_text() {
    let text = "<script>alert(1)</script>\"'&`<img src=x onerror=alert(1)>\u{202e}\u{1b}[31m --> ]]>";
    let page = html(&hostile(text));
    for (part, count) in [("<script", 1), ("</script", 1), ("<img", 3), ("onerror=\"", 0), ("<!--", 0)] {
        assert_eq!(page.matches(part).count(), count, "{part}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"));
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
    // Every `<` of the page opens or closes an element of ours, and every attribute ends where it should.
    let known = |tag: &str| tag.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!'));
    let body = page.split_once("</head>").unwrap().1.split_once("<script>").unwrap().0;
    for tag in body.split('<').skip(1) {
        let tag = tag.split_once('>').unwrap_or_else(|| panic!("an open tag: {tag}")).0;
        assert!(known(tag) && tag.matches('"').count() % 2 == 0, "{tag}");
    }
}

#[test]
fn records_that_make_no_sense_make_a_page_all_the_same() {
    let mut run = record();
    run.data.target.classes = vec![("a".into(), usize::MAX), ("b".into(), usize::MAX)];
    let confusion = run.figures.confusion.as_mut().unwrap();
    confusion.chosen = vec![vec![usize::MAX; 5], vec![]];
    confusion.baseline = Some(vec![vec![usize::MAX, usize::MAX]]);
    run.figures.pictures[0].size = (usize::MAX, usize::MAX);
    run.figures.before.iter_mut().for_each(|point| point.x *= 1e308);
    run.figures.after.truncate(1);
    run.data.distances[0].interval = Some((f64::INFINITY, f64::NAN));
    run.seconds = f64::NAN;
    assert!(html(&run).ends_with("</html>\n"));
}

#[test]
fn turned_bits_in_a_record_never_lead_to_a_panic() {
    for at in (0..RECORD.len()).step_by(29) {
        for flip in [1, 2, 16] {
            let mut bytes = RECORD.as_bytes().to_vec();
            bytes[at] ^= flip;
            if let Ok(run) = serde_json::from_slice(&bytes) {
                html(&run);
            }
        }
    }
}

#[test]
fn prose_sets_backquotes_as_code() {
    assert_eq!(prose("`a<b` is 1"), "<code>a&lt;b</code> is 1");
    assert_eq!(prose("5` long"), "5` long");
}
