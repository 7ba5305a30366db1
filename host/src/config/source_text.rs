//! The pipeline file as text, so that an error can show the line at fault.

use std::ops::Range;
use std::sync::Arc;

use miette::{MietteError, NamedSource, SourceCode, SourceSpan, SpanContents};

/// A pipeline file's name and text. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    inner: Arc<NamedSource<String>>,
}

impl SourceText {
    /// Keeps a text under the name that errors show.
    pub fn new(name: &str, text: &str) -> Self {
        Self { inner: Arc::new(NamedSource::new(name, text.to_owned())) }
    }

    /// The file's name, as it was given.
    pub fn name(&self) -> &str {
        self.inner.name()
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        self.inner.inner()
    }

    /// Line and column at which a span begins, both counted from 1, the column in characters.
    pub fn position(&self, span: &Range<usize>) -> (usize, usize) {
        let before = self.text().get(..span.start).unwrap_or(self.text());
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }

    /// The text of a span, empty if it lies outside.
    pub(crate) fn slice(&self, span: &Range<usize>) -> &str {
        self.text().get(span.clone()).unwrap_or("")
    }
}

impl SourceCode for SourceText {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        self.inner.read_span(span, context_lines_before, context_lines_after)
    }
}
