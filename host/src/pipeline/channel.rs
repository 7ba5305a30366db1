//! A channel between two threads that holds no more than so many bytes. Data flows one way through it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    most: usize,
}

struct State<T> {
    queue: VecDeque<(usize, T)>,
    bytes: usize,
    senders: usize,
    receiving: bool,
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts messages in. The channel ends when every sender is gone.
pub(super) struct Sender<T>(Arc<Shared<T>>);

/// Takes messages out.
pub(super) struct Receiver<T>(Arc<Shared<T>>);

/// A channel for messages of `most` bytes in all. A message that is larger by itself passes alone.
pub(super) fn bounded<T>(most: usize) -> (Sender<T>, Receiver<T>) {
    let state = State { queue: VecDeque::new(), bytes: 0, senders: 1, receiving: true };
    let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), most });
    (Sender(shared.clone()), Receiver(shared))
}

impl<T> Sender<T> {
    /// Waits for room, and puts the message in. Dropped where nobody receives any more: then the receiver has failed, and says so itself.
    pub(super) fn send(&self, bytes: usize, message: T) {
        let mut state = self.0.state();
        while state.receiving && !state.queue.is_empty() && state.bytes + bytes > self.0.most {
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.receiving {
            state.bytes += bytes;
            state.queue.push_back((bytes, message));
            self.0.changed.notify_all();
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.state().senders += 1;
        Sender(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.state().senders -= 1;
        self.0.changed.notify_all();
    }
}

impl<T> Receiver<T> {
    /// The next message; `None` when every sender is gone and everything was taken out.
    pub(super) fn receive(&self) -> Option<T> {
        let mut state = self.0.state();
        loop {
            if let Some((bytes, message)) = state.queue.pop_front() {
                state.bytes -= bytes;
                self.0.changed.notify_all();
                return Some(message);
            }
            if state.senders == 0 {
                return None;
            }
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.receiving = false;
        state.queue.clear();
        state.bytes = 0;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_waits_while_the_channel_is_full() {
        let (sender, receiver) = bounded(100);
        let producer = std::thread::spawn(move || {
            for number in 0..1000 {
                sender.send(40, number);
                assert!(sender.0.state().bytes <= 100);
            }
        });
        for number in 0..1000 {
            assert_eq!(receiver.receive(), Some(number));
        }
        assert_eq!(receiver.receive(), None);
        producer.join().unwrap();
    }

    #[test]
    fn a_message_larger_than_the_channel_passes_alone() {
        let (sender, receiver) = bounded(10);
        sender.send(1000, 'a');
        assert_eq!(receiver.receive(), Some('a'));
    }

    #[test]
    fn a_sender_does_not_hang_when_nobody_receives() {
        let (sender, receiver) = bounded(1);
        sender.send(1, 1);
        drop(receiver);
        sender.send(1, 2);
    }
}
