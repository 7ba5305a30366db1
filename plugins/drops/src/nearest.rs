//! What somebody may have meant.

/// The known word that differs from this one in the fewest letters, if few enough that it may have been meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    let distances = known.into_iter().map(|known| (distance(&folded, &known.to_lowercase()), known));
    let (distance, known) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= word.chars().count().div_ceil(3)).then_some(known)
}

/// How many letters have to be put in, left out or exchanged to make one of the other (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, from) in left.chars().enumerate() {
        let mut diagonal = above;
        let mut before = above + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&right) {
            let exchanged = diagonal + usize::from(from != *to);
            diagonal = *cell;
            before = exchanged.min(before + 1).min(*cell + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn what_is_near_is_found_and_what_is_far_is_not() {
        let known = ["Usage", "Tax", "Credit"];
        for (word, meant) in
            [("usage", Some("Usage")), ("Credits", Some("Credit")), ("Txa", None), ("x", None), ("Tex", Some("Tax"))]
        {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
