//! Frames of zstd, one after another (RFC 8878).

use std::io::{BufRead as _, Read as _};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::stored::Stored;

/// The largest window of a frame, in bytes, which a decoder has to hold in memory: what the `zstd` program takes unless
/// it is told otherwise.
const WINDOW: u64 = 128 << 20;

/// Decodes frames.
pub(super) struct Zstd {
    stored: Stored,
    frames: FrameDecoder,
    /// How many bytes came out of the frame that is being read; nothing between frames.
    came: Option<u64>,
}

impl Zstd {
    pub(super) fn new(stored: Stored) -> Self {
        let mut frames = FrameDecoder::new();
        frames.set_max_window_size(WINDOW);
        Zstd { stored, frames, came: None }
    }

    pub(super) fn stored(&mut self) -> &mut Stored {
        &mut self.stored
    }

    /// The next bytes, at most so many; empty at the end.
    pub(super) fn read(&mut self, most: usize) -> Result<Vec<u8>, String> {
        loop {
            let Some(came) = self.came else {
                if self.stored.fill_buf().map_err(|error| error.to_string())?.is_empty() {
                    return Ok(Vec::new());
                }
                self.begin()?;
                continue;
            };
            let ready = self.frames.can_collect().min(most);
            if ready > 0 {
                let mut piece = vec![0; ready];
                let length = self.frames.read(&mut piece).map_err(|error| error.to_string())?;
                piece.truncate(length);
                self.came = Some(came + length as u64);
                return Ok(piece);
            }
            if self.frames.is_finished() {
                self.check(came)?;
                self.came = None;
                continue;
            }
            self.frames
                .decode_blocks(&mut self.stored, BlockDecodingStrategy::UptoBytes(most))
                .map_err(|error| error.to_string())?;
        }
    }

    /// Begins a frame, or skips one that holds nothing for us.
    fn begin(&mut self) -> Result<(), String> {
        match self.frames.reset(&mut self.stored) {
            Ok(()) => self.came = Some(0),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                return self.skip(length);
            }
            Err(FrameDecoderError::WindowSizeTooBig { requested, .. }) => {
                return Err(format!(
                    "it takes a window of {} MiB to read, and {} MiB is the most; compress it without `--long`",
                    requested.div_ceil(1 << 20),
                    WINDOW >> 20
                ));
            }
            Err(FrameDecoderError::DictNotProvided { .. }) => {
                return Err("it takes a dictionary to read; compress it without one".to_owned());
            }
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    fn skip(&mut self, length: u32) -> Result<(), String> {
        let mut left = length as usize;
        while left > 0 {
            let here = self.stored.fill_buf().map_err(|error| error.to_string())?.len().min(left);
            if here == 0 {
                return Err("a frame that is skipped has no end".to_owned());
            }
            self.stored.consume(here);
            left -= here;
        }
        Ok(())
    }

    /// Whether a frame that came to its end is what its header and its checksum say.
    fn check(&self, came: u64) -> Result<(), String> {
        let said = self.frames.content_size();
        if said != 0 && said != came {
            return Err(format!("a frame holds {came} bytes, and its header says {said}"));
        }
        match self.frames.get_checksum_from_data() {
            Some(said) if self.frames.get_calculated_checksum() != Some(said) => {
                Err("the checksum of a frame does not fit what is in it".to_owned())
            }
            _ => Ok(()),
        }
    }
}
