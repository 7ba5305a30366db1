//! The wanted fields of a record, by the keys that lead to them.

use std::error::Error;
use std::fmt;

use crate::Slot;

/// The wanted fields of a record, as JSON pointers (RFC 6901). Each has a slot.
#[derive(Debug)]
pub struct Pointers {
    /// Node 0 is the record itself.
    nodes: Vec<Node>,
    /// The pointer of each slot, for messages. Those of nodes are empty.
    pointers: Vec<String>,
}

#[derive(Debug, Default)]
struct Node {
    children: Vec<(String, Child)>,
    /// Bit `n` says that a wanted key is `n` bytes long: most others are turned away by it.
    lengths: u64,
    /// The slot that says whether the node was there before.
    seen: usize,
    /// All slots that this node leads to.
    below: Vec<usize>,
}

/// Where a key leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Child {
    Slot(usize),
    Node(usize),
}

/// Why a text is no pointer to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointerError {
    /// It does not begin with `/`.
    NoSlash(String),
    /// It holds a `~` that is followed by neither `0` nor `1`.
    Tilde(String),
    /// It leads to a field into which another pointer leads, or the other way round.
    Overlap(String),
}

impl Default for Pointers {
    fn default() -> Self {
        Pointers { nodes: vec![Node::default()], pointers: Vec::new() }
    }
}

impl Pointers {
    /// The slot of a JSON pointer (RFC 6901), which is added if it is new.
    ///
    /// # Errors
    ///
    /// If the text is no such pointer, or leads into a field that another one leads to.
    pub fn slot(&mut self, pointer: &str) -> Result<usize, PointerError> {
        let Some(path) = pointer.strip_prefix('/') else {
            return Err(PointerError::NoSlash(pointer.to_owned()));
        };
        if let Some(known) = self.pointers.iter().position(|known| known == pointer) {
            return Ok(known);
        }
        if path.split('~').skip(1).any(|after| !after.starts_with(['0', '1'])) {
            return Err(PointerError::Tilde(pointer.to_owned()));
        }
        let overlap = || PointerError::Overlap(pointer.to_owned());
        let mut parts: Vec<String> = path.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        let last = parts.pop().unwrap_or_default();
        let mut node = 0;
        let mut above = Vec::new();
        for part in parts {
            node = match self.child(node, &part) {
                Some(Child::Node(next)) => next,
                Some(Child::Slot(_)) => return Err(overlap()),
                None => {
                    let (next, seen) = (self.nodes.len(), self.new_slot(""));
                    self.nodes.push(Node { seen, ..Node::default() });
                    self.add(node, part, Child::Node(next));
                    next
                }
            };
            above.push(node);
        }
        if self.child(node, &last).is_some() {
            return Err(overlap());
        }
        let slot = self.new_slot(pointer);
        self.add(node, last, Child::Slot(slot));
        for above in above {
            if let Some(above) = self.nodes.get_mut(above) {
                above.below.push(slot);
            }
        }
        Ok(slot)
    }

    /// How many slots a record has. Some of them are for the way to others.
    pub fn slots(&self) -> usize {
        self.pointers.len()
    }

    /// The pointer that leads to a slot.
    pub fn pointer(&self, slot: usize) -> &str {
        self.pointers.get(slot).map_or("", String::as_str)
    }

    /// How many nodes there are.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Where a key leads from a node.
    #[inline]
    pub(crate) fn child(&self, node: usize, key: &str) -> Option<Child> {
        let node = self.nodes.get(node)?;
        if node.lengths & bit(key) == 0 {
            return None;
        }
        node.children.iter().find(|(name, _)| name == key).map(|&(_, child)| child)
    }

    /// Where the place of an element leads, if the node is a list.
    pub(crate) fn element(&self, node: usize, position: usize) -> Option<Child> {
        // RFC 6901 section 4: no zeros in front.
        let fits = |name: &str| {
            name.parse() == Ok(position) && (name == "0" || name.starts_with(|first| ('1'..='9').contains(&first)))
        };
        self.nodes.get(node)?.children.iter().find(|(name, _)| fits(name)).map(|&(_, child)| child)
    }

    /// Notes that a node begins.
    pub(crate) fn enter(&self, node: usize, slots: &mut [Slot<'_>]) {
        if let Some(seen) = self.nodes.get(node).and_then(|node| slots.get_mut(node.seen)) {
            seen.put(Slot::Null);
        }
    }

    /// Notes that a node ends. If it stood there twice, nobody knows which is meant.
    pub(crate) fn leave(&self, node: usize, slots: &mut [Slot<'_>]) {
        let Some(node) = self.nodes.get(node) else { return };
        if slots.get(node.seen) == Some(&Slot::Twice) {
            for &slot in &node.below {
                if let Some(slot) = slots.get_mut(slot) {
                    *slot = Slot::Twice;
                }
            }
        }
    }

    fn new_slot(&mut self, pointer: &str) -> usize {
        self.pointers.push(pointer.to_owned());
        self.pointers.len() - 1
    }

    fn add(&mut self, node: usize, name: String, child: Child) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.lengths |= bit(&name);
            node.children.push((name, child));
        }
    }
}

/// The bit of a key's length; all long ones share the last.
fn bit(key: &str) -> u64 {
    1 << key.len().min(63)
}

impl fmt::Display for PointerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSlash(pointer) => write!(f, "`{pointer}` is no JSON pointer: it begins with `/`"),
            Self::Tilde(pointer) => {
                write!(f, "`{pointer}` is no JSON pointer: `~` is written `~0` in it, and `/` in a key `~1`")
            }
            Self::Overlap(pointer) => write!(
                f,
                "`{pointer}` leads to a field and another pointer leads into it; only one of the two can be read"
            ),
        }
    }
}

impl Error for PointerError {}
