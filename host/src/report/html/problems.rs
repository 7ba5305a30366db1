//! What stands in the way, and what to do about it. Problems that differ in nothing but their input are one.

use super::left_out;
use super::markup::Html;
use crate::report::Problem;
use crate::report::text::{by_code, counted};

/// So many problems of one code are shown.
const MOST_OF_A_CODE: usize = 20;
/// So many of the inputs of one problem are shown at once, and so many when they are unfolded.
const FIRST_INPUTS: usize = 3;
const MOST_INPUTS: usize = 200;

pub(super) fn write(page: &mut Html, problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    page.raw("<section aria-labelledby=\"problems\">\n<h2 id=\"problems\">");
    page.text(&counted(problems.len() as u64, "problem")).raw("</h2>\n<ol class=\"problems\">\n");
    let mut more = 0;
    for (_, groups) in by_code(problems) {
        for group in groups.iter().take(MOST_OF_A_CODE) {
            write_one(page, group.problem, &group.inputs);
        }
        more += groups.iter().skip(MOST_OF_A_CODE).map(|group| group.inputs.len().max(1)).sum::<usize>();
    }
    page.raw("</ol>\n");
    left_out(page, more);
    page.raw("</section>\n");
}

fn write_one(page: &mut Html, problem: &Problem, inputs: &[&str]) {
    let Problem { code, plugin, step, input: _, message, action, causes } = problem;
    page.raw("<li>\n<p><b class=\"code\">").text(code).raw("</b> ").sentence(message).raw("</p>\n");
    if let Some(action) = action {
        let mut lines = action.lines();
        page.raw("<p class=\"todo\"><b>To do:</b> ").sentence(lines.next().unwrap_or_default()).raw("</p>\n");
        let commands: Vec<&str> = lines.collect();
        if !commands.is_empty() {
            page.code(commands.into_iter());
        }
    }
    let place: Vec<&str> = [plugin, step].into_iter().flatten().map(String::as_str).collect();
    if !place.is_empty() || !inputs.is_empty() {
        page.raw("<p class=\"place\">").text(&place.join(", "));
        for (index, input) in inputs.iter().take(FIRST_INPUTS).enumerate() {
            page.raw(if index > 0 || !place.is_empty() { " · " } else { "" })
                .raw("<bdi>")
                .sentence(input)
                .raw("</bdi>");
        }
        page.raw("</p>\n");
    }
    if inputs.len() > FIRST_INPUTS {
        let rest = inputs.get(FIRST_INPUTS..).unwrap_or_default();
        page.raw("<details><summary>").text(&counted(rest.len() as u64, "more place")).raw("</summary>\n<ul>\n");
        for input in rest.iter().take(MOST_INPUTS) {
            page.raw("<li>").sentence(input).raw("</li>\n");
        }
        page.raw("</ul>\n");
        left_out(page, rest.len().saturating_sub(MOST_INPUTS));
        page.raw("</details>\n");
    }
    if !causes.is_empty() {
        page.raw("<details><summary>Why</summary>\n<ul>\n");
        for cause in causes {
            page.raw("<li>").sentence(cause).raw("</li>\n");
        }
        page.raw("</ul></details>\n");
    }
    page.raw("</li>\n");
}
