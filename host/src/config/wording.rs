//! How values, keys and choices are written in a message.

/// A name, a key or a pattern in a message.
pub(super) fn quoted(text: &str) -> String {
    if text.is_empty() { string(text) } else { format!("`{}`", clean(text)) }
}

/// A string value in a message, in the quotes that tell `"3"` from `3`.
pub(super) fn string(text: &str) -> String {
    format!("\"{}\"", clean(text))
}

/// Without what would disturb a terminal, and not longer than a line can bear.
fn clean(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown = String::new();
    for letter in text.chars().take(LONGEST) {
        // Quotes and backslashes are read more easily as they are.
        if "'\"\\".contains(letter) { shown.push(letter) } else { shown.extend(letter.escape_debug()) }
    }
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// `a`, `b` or `c`.
pub(super) fn one_of<T: AsRef<str>>(choices: &[T]) -> String {
    joined(choices, "or")
}

/// `a`, `b` and `c`.
pub(super) fn all_of<T: AsRef<str>>(choices: &[T]) -> String {
    joined(choices, "and")
}

fn joined<T: AsRef<str>>(choices: &[T], word: &str) -> String {
    match choices {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} {word} {}", first.join(", "), last.as_ref())
        }
    }
}

/// A key under its table, as TOML would write it: `source.config.fields`, `sink."a b"`.
pub(super) fn key_path(table: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let key = if bare { key.to_owned() } else { format!("{key:?}") };
    if table.is_empty() { key } else { format!("{table}.{key}") }
}

/// The choice that a mistyped word was probably meant to be.
pub(crate) fn nearest<'a>(word: &str, choices: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let word = plain(word);
    choices
        .into_iter()
        .map(|choice| (strsim::damerau_levenshtein(&word, &plain(choice)), choice))
        .filter(|(distance, choice)| *distance <= 1.max(choice.chars().count() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, choice)| choice)
}
