//! Many short texts in one long one: a column of a batch takes two allocations, not one a row.

/// Texts one behind the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    all: String,
    /// Where each begins, and where the last one ends.
    bounds: Vec<usize>,
}

impl Default for Texts {
    fn default() -> Self {
        Texts { all: String::new(), bounds: vec![0] }
    }
}

impl Texts {
    /// None yet, and room for so many.
    pub fn with_capacity(texts: usize, bytes: usize) -> Self {
        let mut bounds = Vec::with_capacity(texts + 1);
        bounds.push(0);
        Texts { all: String::with_capacity(bytes), bounds }
    }

    /// Adds one.
    pub fn push(&mut self, text: &str) {
        self.push_with(|all| all.push_str(text));
    }

    /// Adds the one that the function appends.
    pub fn push_with<R>(&mut self, append: impl FnOnce(&mut String) -> R) -> R {
        let done = append(&mut self.all);
        self.bounds.push(self.all.len());
        done
    }

    /// The text at this place; empty beyond the last.
    #[inline]
    pub fn get(&self, at: usize) -> &str {
        let bounds = self.bounds.get(at).zip(self.bounds.get(at + 1));
        bounds.and_then(|(start, end)| self.all.get(*start..*end)).unwrap_or_default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// All of them, without what is between them.
    pub fn all(&self) -> &str {
        &self.all
    }
}

impl<T: AsRef<str>> FromIterator<T> for Texts {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let mut all = Texts::default();
        texts.into_iter().for_each(|text| all.push(text.as_ref()));
        all
    }
}
