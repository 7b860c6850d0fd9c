//! Figures side by side: means over seeds, over tasks, ranks, and whether methods differ.
//!
//! Paper: J. Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 2006, for mean ranks and the
//! signed-rank test over tasks
//!
//! Means and ranks are those of the tasks of which every method has a figure, so that all are of the same tasks; a method without
//! any figure takes no part. A task counts once, however many seeds it has: seeds of a task are no independent evidence.

use super::plan::{Plan, Record};
use crate::measures::{Figure, mean_ranks, signed_rank_p_value};

/// Figures of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedTask {
    /// Its name.
    pub name: String,
    /// Which figure they are; `None` where no run has one.
    pub figure: Option<Figure>,
    /// For each column the mean over the seeds and the deviation (of two seeds or more), where none failed.
    pub figures: Vec<Option<(f64, Option<f64>)>>,
    /// For each column the verdicts, each with how often it was reached.
    pub verdicts: Vec<Vec<(String, usize)>>,
}

/// Why there is no figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The task.
    pub task: String,
    /// The column.
    pub column: String,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// The reason.
    pub reason: String,
}

/// Figures side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// What heads each column.
    pub columns: Vec<String>,
    /// The tasks.
    pub tasks: Vec<ComparedTask>,
    /// Number of seeds.
    pub seeds: usize,
    /// Number of tasks that means and ranks are over.
    pub whole: usize,
    /// The one figure of these tasks; `None` where they have different ones.
    pub figure: Option<Figure>,
    /// The mean of each column over the whole tasks, where they have one figure.
    pub means: Vec<Option<f64>>,
    /// The mean rank of each column, 1 for the best.
    pub ranks: Vec<Option<f64>>,
    /// The p-value of each column against the first, where they differ.
    pub p_values: Vec<Option<f64>>,
    /// What failed.
    pub failures: Vec<Failure>,
    /// What was warned of: task, text, number of runs.
    pub warnings: Vec<(String, String, usize)>,
    /// Number of runs that are not done.
    pub missing: usize,
}

/// Compares what the runs of a plan came to; some may be missing.
pub fn compared(plan: &Plan, records: &[Record]) -> Compared {
    let tasks: Vec<ComparedTask> = plan.tasks.iter().map(|task| one(plan, &task.name, records)).collect();
    let columns = plan.columns.len();
    let told = |task: &ComparedTask, c: usize| task.figures[c].is_some();
    let takes_part: Vec<usize> = (0..columns).filter(|&c| tasks.iter().any(|task| told(task, c))).collect();
    let whole: Vec<&ComparedTask> = tasks
        .iter()
        .filter(|task| !takes_part.is_empty() && takes_part.iter().all(|&c| told(task, c)))
        .collect();
    let mut kinds: Vec<Option<Figure>> = whole.iter().map(|task| task.figure).collect();
    kinds.dedup();
    let figure = if let [one] = kinds[..] { one } else { None };
    let of_column = |c: usize| -> Vec<f64> {
        whole.iter().filter_map(|task| task.figures[c].map(|(mean, _)| mean)).collect()
    };
    let mut means = vec![None; columns];
    let mut ranks = vec![None; columns];
    let mut p_values = vec![None; columns];
    if !whole.is_empty() {
        let rows: Vec<Vec<f64>> = whole
            .iter()
            .map(|task| takes_part.iter().filter_map(|&c| task.figures[c].map(|(mean, _)| mean)).collect())
            .collect();
        let less: Vec<bool> = whole.iter().map(|task| task.figure.is_some_and(Figure::is_error)).collect();
        for (&c, rank) in takes_part.iter().zip(mean_ranks(&rows, &less)) {
            ranks[c] = Some(rank);
            let own = of_column(c);
            means[c] = figure.map(|_| own.iter().sum::<f64>() / own.len() as f64);
            if figure.is_some() && c > 0 && takes_part[0] == 0 {
                let differences: Vec<f64> = own.iter().zip(of_column(0)).map(|(a, b)| a - b).collect();
                p_values[c] = signed_rank_p_value(&differences);
            }
        }
    }
    Compared {
        columns: plan.columns.iter().map(super::Column::title).collect(),
        seeds: plan.seeds.len(),
        whole: whole.len(),
        figure,
        means,
        ranks,
        p_values,
        failures: failures(plan, records),
        warnings: warnings(records),
        missing: plan.runs().saturating_sub(records.len()),
        tasks,
    }
}

/// Figures of the task of this name.
fn one(plan: &Plan, name: &str, records: &[Record]) -> ComparedTask {
    let (mut figures, mut verdicts) = (Vec::new(), Vec::new());
    let own: Vec<&Record> = records.iter().filter(|record| record.task == name).collect();
    for column in &plan.columns {
        let is = |record: &&&Record| record.method == column.method && record.learner == column.learner;
        let mut runs: Vec<&&Record> = own.iter().filter(is).collect();
        runs.sort_by_key(|record| plan.seeds.iter().position(|seed| *seed == record.seed));
        let values: Vec<f64> = runs.iter().filter_map(|record| record.figure).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt());
        figures.push((values.len() == plan.seeds.len()).then_some((mean, deviation)));
        let mut said: Vec<(String, usize)> = Vec::new();
        for verdict in runs.iter().flat_map(|record| &record.verdicts) {
            match said.iter_mut().find(|(own, _)| own == verdict) {
                Some((_, times)) => *times += 1,
                None => said.push((verdict.clone(), 1)),
            }
        }
        verdicts.push(said);
    }
    ComparedTask { name: name.into(), figure: own.iter().find_map(|record| record.of), figures, verdicts }
}

/// What failed, the seeds of one reason together.
fn failures(plan: &Plan, records: &[Record]) -> Vec<Failure> {
    let mut found: Vec<Failure> = Vec::new();
    let mut ordered: Vec<&Record> = records.iter().filter(|record| record.failed.is_some()).collect();
    ordered.sort_by_key(|record| {
        let task = plan.tasks.iter().position(|task| task.name == record.task);
        let column = |own: &super::Column| own.method == record.method && own.learner == record.learner;
        (task, plan.columns.iter().position(column), plan.seeds.iter().position(|seed| *seed == record.seed))
    });
    for record in ordered {
        let Some(reason) = &record.failed else { continue };
        let column = super::Column { method: record.method.clone(), learner: record.learner.clone() }.title();
        match found
            .last_mut()
            .filter(|own| own.task == record.task && own.column == column && own.reason == *reason)
        {
            Some(own) => own.seeds.push(record.seed),
            None => found.push(Failure {
                task: record.task.clone(),
                column,
                seeds: vec![record.seed],
                reason: reason.clone(),
            }),
        }
    }
    found
}

/// What was warned of, in order.
fn warnings(records: &[Record]) -> Vec<(String, String, usize)> {
    let mut found: Vec<(String, String, usize)> = Vec::new();
    for record in records {
        for text in &record.warnings {
            match found.iter_mut().find(|(task, own, _)| *task == record.task && own == text) {
                Some((.., runs)) => *runs += 1,
                None => found.push((record.task.clone(), text.clone(), 1)),
            }
        }
    }
    found
}
