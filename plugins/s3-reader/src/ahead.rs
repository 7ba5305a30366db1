//! The objects that come next, and which of them the host was told of.

use std::collections::VecDeque;

use crate::listing::Wanted;

/// Of so many objects the host is told beforehand.
pub(crate) const AHEAD: usize = 128;
/// It is told of so many at once: a call for each would cost more than it brings.
const AT_ONCE: usize = 32;

/// Objects that wait to be read. The host fetches what comes next while others are being read, as far as it has room.
#[derive(Default)]
pub(crate) struct Ahead {
    waiting: VecDeque<Wanted>,
    /// How many of the first were announced.
    announced: usize,
}

impl Ahead {
    pub(crate) fn extend(&mut self, found: Vec<Wanted>) {
        self.waiting.extend(found);
    }

    /// Whether more should be listed, lest those that were announced run out.
    pub(crate) fn is_short(&self) -> bool {
        self.waiting.len() < AHEAD
    }

    /// The next object.
    pub(crate) fn pop(&mut self) -> Option<Wanted> {
        self.announced = self.announced.saturating_sub(1);
        self.waiting.pop_front()
    }

    /// The keys that the host is to be told of now: each once, in the order in which they are read.
    pub(crate) fn announce(&mut self) -> Vec<String> {
        let most = self.waiting.len().min(AHEAD);
        // Where there are no more than that, the last are not kept back.
        if most < self.announced + AT_ONCE && self.waiting.len() > AHEAD {
            return Vec::new();
        }
        let next = self.waiting.iter().take(most).skip(self.announced);
        let keys = next.filter(|wanted| wanted.unreadable.is_none()).map(|wanted| wanted.object.key.clone()).collect();
        self.announced = most;
        keys
    }
}

#[cfg(test)]
mod tests {
    use meterhost_sdk::objects;

    use super::*;
    use crate::layout::Matched;

    fn objects(numbers: std::ops::Range<usize>) -> Vec<Wanted> {
        let wanted = |number| Wanted {
            object: objects::Object { key: format!("{number:04}"), etag: String::new(), size: 0, modified: None },
            matched: Matched { span: None, reach: None, captures: Vec::new() },
            unreadable: None,
        };
        numbers.map(wanted).collect()
    }

    #[test]
    fn many_are_always_announced_and_each_of_them_once_and_in_order() {
        let mut ahead = Ahead::default();
        let (mut listed, mut announced, mut read, mut calls) = (0, Vec::new(), 0, 0);
        loop {
            while ahead.is_short() && listed < 1000 {
                ahead.extend(objects(listed..listed + 50));
                listed += 50;
            }
            let keys = ahead.announce();
            calls += usize::from(!keys.is_empty());
            announced.extend(keys);
            let Some(next) = ahead.pop() else { break };
            assert_eq!(next.object.key, format!("{read:04}"));
            read += 1;
            let in_front = announced.len() - read;
            assert!(in_front >= (AHEAD - AT_ONCE).min(1000 - read), "{in_front} in front after {read}");
            assert!(in_front < AHEAD);
        }
        assert!(calls <= 1000 / 20, "{calls} calls");
        assert_eq!(announced, objects(0..1000).into_iter().map(|wanted| wanted.object.key).collect::<Vec<_>>());
    }

    #[test]
    fn what_cannot_be_read_is_not_announced() {
        let mut ahead = Ahead::default();
        let mut found = objects(0..3);
        found[1].unreadable = Some("odd");
        ahead.extend(found);
        assert_eq!(ahead.announce(), ["0000", "0002"]);
        assert!(ahead.announce().is_empty());
    }
}
