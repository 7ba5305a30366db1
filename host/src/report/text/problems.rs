//! What stands in the way, in the order in which a person asks: which plugin, at which step and input; what happened; what to do;
//! and with `-v` why.

use std::collections::HashMap;
use std::io;

use super::style::{Paint, Style, count, counted};
use crate::report::Problem;

/// Problems of one code that are shown, unless everything is.
const MOST_OF_A_CODE: usize = 10;
/// Inputs that are shown for one problem, unless everything is.
const MOST_INPUTS: usize = 5;
/// Where a problem's text begins, behind its number.
const INDENT: usize = 4;
/// Where the text goes on that does not fit a line. Deeper, so that no message can look like what the report itself says.
const FURTHER: usize = 6;

/// Problems that differ in nothing but their input.
pub(in crate::report) struct Group<'a> {
    pub(in crate::report) problem: &'a Problem,
    pub(in crate::report) inputs: Vec<&'a str>,
}

pub(super) fn write(out: &mut dyn io::Write, problems: &[Problem], style: Style) -> io::Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let head = format!("{}:", counted(problems.len() as u64, "problem"));
    writeln!(out, "{}\n", style.paint(Paint::Bold, &head))?;
    let mut number = 0;
    for (code, groups) in by_code(problems) {
        let shown = if style.everything() { groups.len() } else { MOST_OF_A_CODE };
        for group in groups.iter().take(shown) {
            number += 1;
            group.write(out, number, style)?;
        }
        let more: usize = groups.iter().skip(shown).map(|group| group.inputs.len().max(1)).sum();
        if more > 0 {
            let more = count(more as u64);
            writeln!(
                out,
                "{} and {more} more that are `{}`: shown with `-v`\n",
                style.ellipsis(),
                style.escaped(code)
            )?;
        }
    }
    if !style.everything() && problems.iter().any(|problem| !problem.causes.is_empty()) {
        writeln!(out, "the causes behind them are shown with `-v`\n")?;
    }
    Ok(())
}

/// Both codes and problems stay in the order in which they first came.
pub(in crate::report) fn by_code(problems: &[Problem]) -> Vec<(&str, Vec<Group<'_>>)> {
    let mut codes: Vec<(&str, Vec<Group<'_>>)> = Vec::new();
    let mut code_places = HashMap::new();
    let mut places = HashMap::new();
    for problem in problems {
        let Problem { code, plugin, step, input, message, action, causes } = problem;
        let code_place = *code_places.entry(*code).or_insert(codes.len());
        if code_place == codes.len() {
            codes.push((code, Vec::new()));
        }
        let Some((_, groups)) = codes.get_mut(code_place) else { continue };
        let place = *places.entry((code, plugin, step, message, action, causes)).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group { problem, inputs: Vec::new() });
        }
        if let Some(group) = groups.get_mut(place) {
            group.inputs.extend(input.as_deref());
        }
    }
    codes
}

impl Group<'_> {
    fn write(&self, out: &mut dyn io::Write, number: usize, style: Style) -> io::Result<()> {
        let Problem { code, message, action, causes, .. } = self.problem;
        let indent = " ".repeat(INDENT);
        let code = style.escaped(code);
        let head = [code, self.place(style)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
        writeln!(out, "{number:>2}. {}", style.paint(Paint::Bold, &style.wrapped(&head, INDENT, FURTHER)))?;
        if self.inputs.len() > 1 {
            self.write_inputs(out, style)?;
        }
        writeln!(out, "{indent}{}", style.wrapped(&style.sentence(message), INDENT, FURTHER))?;
        if let Some(action) = action {
            write_action(out, action, style)?;
        }
        if style.everything() {
            for cause in causes {
                let cause = format!("because: {}", style.sentence(cause));
                writeln!(out, "{indent}{}", style.wrapped(&cause, INDENT, FURTHER))?;
            }
        }
        writeln!(out)
    }

    /// `source (s3-reader 0.1.0), reading 2025/06/01/00/sub-a.json, record 3`
    fn place(&self, style: Style) -> String {
        let input = match self.inputs.as_slice() {
            [input] => Some(*input),
            _ => None,
        };
        let step = [self.problem.step.as_deref(), input].into_iter().flatten().map(|part| style.sentence(part));
        let step = step.collect::<Vec<_>>().join(" ");
        let plugin = self.problem.plugin.as_deref().map(|plugin| style.sentence(plugin)).unwrap_or_default();
        [plugin, step].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }

    fn write_inputs(&self, out: &mut dyn io::Write, style: Style) -> io::Result<()> {
        let indent = " ".repeat(FURTHER);
        let shown = if style.everything() { self.inputs.len() } else { MOST_INPUTS };
        for input in self.inputs.iter().take(shown) {
            writeln!(out, "{indent}{}", style.wrapped(&style.sentence(input), FURTHER, FURTHER + 2))?;
        }
        let more = self.inputs.len().saturating_sub(shown);
        if more > 0 {
            writeln!(out, "{indent}{} and {} more", style.ellipsis(), count(more as u64))?;
        }
        Ok(())
    }
}

/// An action's first line is a sentence; what follows is to be copied, so it is not broken.
fn write_action(out: &mut dyn io::Write, action: &str, style: Style) -> io::Result<()> {
    let mut lines = action.lines();
    let first = style.escaped(lines.next().unwrap_or_default());
    let first = style.wrapped(&format!("to do: {first}"), INDENT, FURTHER);
    writeln!(out, "{}{}", " ".repeat(INDENT), style.paint(Paint::Good, &first))?;
    for line in lines {
        writeln!(out, "{}{}", " ".repeat(FURTHER), style.escaped(line))?;
    }
    Ok(())
}
