//! What test runs print, added up.

/// Passed, failed and skipped tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl Counts {
    /// Adds a line of the test runner's, such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...`; other lines count nothing.
    /// A test that says it is skipped passes for the runner, and counts as skipped here.
    pub fn line(&mut self, line: &str) {
        if line.contains("skipped: ") {
            self.skipped += 1;
            self.passed = self.passed.saturating_sub(1);
        }
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for part in counts.split(';') {
            let mut words = part.split_whitespace();
            let (Some(number), Some(word)) = (words.next().and_then(|number| number.parse::<u64>().ok()), words.next())
            else {
                continue;
            };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn the_runners_lines_are_added_up() {
        let mut counts = Counts::default();
        counts.line("running 3 tests");
        counts.line("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        counts
            .line("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        assert_eq!(counts, Counts { passed: 5, failed: 1, skipped: 1 });
    }
}
