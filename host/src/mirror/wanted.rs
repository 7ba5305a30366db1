//! What the document should say of this pipeline.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::window::Window;

/// Contracts by month.
pub type Contracts = BTreeMap<Window, BTreeSet<String>>;

/// What the document should say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The last month that is closed; nothing leaves it as it is. It never goes back.
    pub last: Option<Window>,
    /// Contracts that are to be listed.
    pub listed: Contracts,
    /// Contracts that are not to be: all that was to be billed to them was refused. Who is in neither stays as it is.
    pub unlisted: Contracts,
    /// Of those that are listed, the ones of which it is not known yet whether they are billed.
    pub open: Contracts,
}
