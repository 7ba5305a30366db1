//! Asking before something is done that cannot be undone.

use std::io::{IsTerminal as _, Write as _};

use super::shared::Refused;
use crate::report::Exit;

/// Says what is about to be done and asks whether to; `yes` says that it was asked for already.
pub(super) fn confirmed(says: &str, question: &str, yes: bool, nothing: &str) -> Result<(), Refused> {
    if yes {
        return Ok(());
    }
    let refused = |text: String| Err(Refused::Other(Exit::Configuration, text));
    if !std::io::stdin().is_terminal() {
        eprintln!("{says}");
        return refused(format!("{nothing}: say --yes to do it"));
    }
    eprint!("{says}\n{question} [y/N] ");
    // Where nobody sees the question, nobody answers it.
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let _ = std::io::stdin().read_line(&mut answer);
    if answer.trim().eq_ignore_ascii_case("y") { Ok(()) } else { refused(nothing.to_owned()) }
}
