//! A column of a batch: what it says in each row. Nothing and the empty text are the same.

use std::borrow::Cow;

use meterhost_sdk::TextColumn;

use crate::Texts;

/// What a column says in each row.
#[derive(Debug, Clone)]
pub struct Cells<'a> {
    pub(crate) texts: Texts,
    pub(crate) places: Places<'a>,
}

/// Which of the texts a row holds.
#[derive(Debug, Clone)]
pub(crate) enum Places<'a> {
    /// All rows the first.
    Same,
    /// Each row its own.
    Each,
    /// The one at the row's index; nothing beyond the last.
    By(Cow<'a, [u32]>),
}

/// The index of a row that holds nothing.
pub(crate) const ABSENT: u32 = u32::MAX;

impl<'a> Cells<'a> {
    /// The same in each row.
    pub fn same(text: &str) -> Self {
        Cells { texts: [text].into_iter().collect(), places: Places::Same }
    }

    /// As many texts as there are rows.
    pub fn each(texts: Texts) -> Self {
        Cells { texts, places: Places::Each }
    }

    /// The text at each row's index; nothing where that leads beyond the last.
    pub fn by(texts: Texts, indices: impl Into<Cow<'a, [u32]>>) -> Self {
        Cells { texts, places: Places::By(indices.into()) }
    }

    /// What a row says.
    #[inline]
    pub fn get(&self, row: usize) -> &str {
        self.texts.get(self.place(row))
    }

    /// Which of the [`texts`](Self::texts) a row says; beyond the last where it says nothing.
    #[inline]
    pub fn place(&self, row: usize) -> usize {
        match &self.places {
            Places::Same => 0,
            Places::Each => row,
            Places::By(indices) => indices.get(row).copied().unwrap_or(ABSENT) as usize,
        }
    }

    /// Every text that a row may say, once at least.
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// The same places with other texts: one for each of [`texts`](Self::texts).
    pub fn respelled(&self, spell: impl FnMut(&str) -> String) -> Cells<'a> {
        Cells { texts: self.texts.iter().map(spell).collect(), places: self.places.clone() }
    }

    pub(crate) fn is_same(&self) -> bool {
        matches!(self.places, Places::Same)
    }

    /// Whether no row says anything.
    pub fn is_blank(&self) -> bool {
        self.texts.all().is_empty()
    }

    /// The rows whose text the judge has something against, and what. It is asked once a text, not once a row.
    pub fn judged<R: Clone>(&self, rows: usize, judge: impl FnMut(&str) -> Option<R>) -> Vec<(usize, R)> {
        let verdicts: Vec<Option<R>> = self.texts.iter().map(judge).collect();
        if verdicts.iter().all(Option::is_none) {
            return Vec::new();
        }
        let verdict = |row| verdicts.get(self.place(row)).cloned().flatten();
        (0..rows).filter_map(|row| Some((row, verdict(row)?))).collect()
    }
}

impl<'a> From<TextColumn<'a>> for Cells<'a> {
    fn from(column: TextColumn<'a>) -> Self {
        match column.indices() {
            [] => Cells::same(column.values().first().map_or("", String::as_str)),
            indices => Cells::by(column.values().iter().collect(), indices),
        }
    }
}
