//! What happens to the usage of one dimension of the input: which rules and formulas read it, and what is kept for them.

use crate::inputs::BilledFormula;
use crate::rule::{Makes, Measured, Rule};

/// What happens to the usage of one dimension of the input.
#[derive(Debug)]
pub(crate) enum Plan {
    Billed {
        /// The rules that read it.
        steps: Vec<Step>,
        /// The formulas that read it, through rules that make variables.
        feeds: Vec<Feed>,
        /// What each of its cells is for.
        cells: Vec<CellOf>,
        /// Records that several steps may take, and that are counted once.
        unions: Vec<Union>,
        /// Where every step has conditions: what fits none of them.
        left_out: Option<LeftOut>,
    },
    /// Under the name by which it is counted as excluded.
    Dropped(&'static str),
    /// With the reason for which it is held.
    Refused(String),
}

/// One rule that reads a dimension.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) rule: usize,
    /// The name that goes out; none for a variable.
    pub(crate) output: Option<String>,
    /// Which of the dimension's cells holds the result. None is needed for sums and counts of everything.
    pub(crate) cell: Option<usize>,
}

/// What a formula gets of a dimension.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) formula: usize,
    /// The positions of the steps that make its variables.
    pub(crate) steps: Vec<usize>,
    /// The cell that has counted the records which stand behind the formula's line; without one they are all of the dimension's.
    pub(crate) behind: Option<usize>,
}

/// A cell that counts the records which at least one of these steps takes.
#[derive(Debug)]
pub(crate) struct Union {
    pub(crate) steps: Vec<usize>,
    pub(crate) cell: usize,
}

/// What a cell is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CellOf {
    Rule(usize),
    Union,
    LeftOut,
}

/// Where the records that no rule's conditions fit are counted, and under which name.
#[derive(Debug)]
pub(crate) struct LeftOut {
    pub(crate) cell: usize,
    pub(crate) name: String,
}

impl Plan {
    /// For a dimension that these rules read, given by their numbers.
    pub(crate) fn billed(dimension: &str, numbers: &[usize], rules: &[Rule], formulas: &[BilledFormula]) -> Self {
        let mut cells = Vec::new();
        let mut steps = Vec::new();
        let mut conditions = Vec::new();
        for &number in numbers {
            let Some(rule) = rules.get(number) else { continue };
            let cell = (!rule.is_plain()).then(|| add(&mut cells, CellOf::Rule(number)));
            let output = match &rule.makes {
                Makes::Line(output) => Some(output.clone()),
                Makes::Same => Some(dimension.to_owned()),
                Makes::Variable => None,
            };
            conditions.push(rule.where_words());
            steps.push(Step { rule: number, output, cell });
        }
        let mut unions = Vec::new();
        let mut feeds = Vec::new();
        for (formula, billed) in formulas.iter().enumerate() {
            let reads = |&position: &usize| steps.get(position).is_some_and(|step| billed.present.contains(&step.rule));
            let positions: Vec<usize> = (0..steps.len()).filter(reads).collect();
            let Some(&first) = positions.first() else { continue };
            let mut conditions =
                positions.iter().filter_map(|&position| Some(&rules.get(steps.get(position)?.rule)?.conditions));
            let takes = conditions.next();
            let behind = if takes.into_iter().chain(conditions.clone()).any(Vec::is_empty) {
                None
            } else if conditions.all(|conditions| Some(conditions) == takes) {
                // All of them take the same records.
                steps.get(first).and_then(|step| step.cell)
            } else {
                let cell = add(&mut cells, CellOf::Union);
                unions.push(Union { steps: positions.clone(), cell });
                Some(cell)
            };
            feeds.push(Feed { formula, steps: positions, behind });
        }
        let left_out = conditions.iter().all(|conditions| !conditions.is_empty()).then(|| {
            let mut names: Vec<&str> = Vec::new();
            for conditions in &conditions {
                if !names.contains(&conditions.as_str()) {
                    names.push(conditions);
                }
            }
            LeftOut { cell: add(&mut cells, CellOf::LeftOut), name: format!("where {}", names.join(", or ")) }
        });
        Plan::Billed { steps, feeds, cells, unions, left_out }
    }
}

fn add(cells: &mut Vec<CellOf>, cell: CellOf) -> usize {
    cells.push(cell);
    cells.len() - 1
}

impl CellOf {
    /// What the cell measures, and the rule that it belongs to, with its number.
    pub(crate) fn measure<'a>(
        self,
        rule: impl FnOnce(usize) -> Option<&'a Rule>,
    ) -> Option<(&'a Measured, Option<(usize, &'a Rule)>)> {
        Some(match self {
            CellOf::Rule(number) => {
                let rule = rule(number)?;
                (&rule.measure, Some((number, rule)))
            }
            CellOf::Union => (&Measured::Count, None),
            CellOf::LeftOut => (&Measured::Sum, None),
        })
    }
}
