//! Commands that a person copies into a shell.

use crate::config::Pipeline;

/// `meterhost COMMAND FILE ARGUMENTS`, about this pipeline and its ledger. The arguments stand there as they are.
pub(crate) fn command(pipeline: &Pipeline, command: &str, arguments: &str) -> String {
    of_file(command, pipeline.text.name(), pipeline.ledger_option.as_deref(), arguments)
}

fn of_file(command: &str, file: &str, ledger: Option<&str>, arguments: &str) -> String {
    let ledger = ledger.map_or_else(String::new, |ledger| format!(" --ledger {}", quoted(ledger)));
    format!("meterhost {command} {} {arguments}{ledger}", quoted(file))
}

/// As a shell takes it for one word, and nothing else.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:@%".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_copied_whatever_the_names() {
        assert_eq!(of_file("ledger rename", "a/p.toml", None, "--yes"), "meterhost ledger rename a/p.toml --yes");
        assert_eq!(
            of_file("run", "it's mine.toml", Some("s3://b/p?lease=5s"), "-v"),
            r"meterhost run 'it'\''s mine.toml' -v --ledger 's3://b/p?lease=5s'"
        );
        assert_eq!(quoted(r#"$(touch x) "y""#), r#"'$(touch x) "y"'"#);
        assert_eq!(quoted(""), "''");
    }
}
