//! Writes a PNG: samples as a PDF has them need no other order, so it takes a head, their compressed bytes, and sums.

use std::io::{self, Write as _};

use flate2::{Compression, Crc, write::ZlibEncoder};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The kinds of filters before each row: as it is, and what it differs by from the row above.
const PLAIN: u8 = 0;
const UP: u8 = 2;

/// What the samples of a picture mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    Gray,
    Rgb,
    /// Each is the number of a colour, of which these are the three bytes.
    Palette(Vec<u8>),
}

impl Colours {
    /// Samples of a pixel.
    pub(super) const fn samples(&self) -> usize {
        match self {
            Self::Gray | Self::Palette(_) => 1,
            Self::Rgb => 3,
        }
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Gray => 0,
            Self::Rgb => 2,
            Self::Palette(_) => 3,
        }
    }
}

/// A picture of pixels. Its rows begin at a byte each, and have [`Pixels::row`] of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pixels {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Of a sample: 1, 2, 4 or 8.
    pub(super) bits: u8,
    pub(super) colours: Colours,
    pub(super) samples: Vec<u8>,
}

impl Pixels {
    /// Bytes of a row. The factors are bounded where they are read.
    pub(super) const fn row(&self) -> usize {
        (self.width * self.colours.samples() * self.bits as usize).div_ceil(8)
    }

    /// The same with each side at most so long, where its samples are bytes: squares of pixels become one.
    pub(super) fn at_most(self, longest: usize) -> Self {
        let by = self.width.max(self.height).div_ceil(longest);
        if by <= 1 || self.bits != 8 || matches!(self.colours, Colours::Palette(_)) {
            return self;
        }
        let (width, height) = ((self.width / by).max(1), (self.height / by).max(1));
        let (of_pixel, row) = (self.colours.samples(), self.row());
        let mut samples = Vec::with_capacity(width * height * of_pixel);
        for y in 0..height {
            for x in 0..width {
                for sample in 0..of_pixel {
                    let (mut sum, mut count) = (0, 0);
                    for from in (y * by..(y + 1) * by).take_while(|y| *y < self.height) {
                        let at = from * row + x * by * of_pixel + sample;
                        let square = self.samples.iter().skip(at).step_by(of_pixel);
                        for value in square.take(by.min(self.width - x * by)) {
                            sum += usize::from(*value);
                            count += 1;
                        }
                    }
                    samples.push(u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX));
                }
            }
        }
        Self {
            width,
            height,
            samples,
            ..self
        }
    }

    /// The file.
    pub(super) fn png(&self) -> io::Result<Vec<u8>> {
        let side = |side: usize| u32::try_from(side).map(u32::to_be_bytes).map_err(io::Error::other);
        let mut head = [side(self.width)?, side(self.height)?].concat();
        head.extend([self.bits, self.colours.kind(), 0, 0, 0]);
        let mut file = SIGNATURE.to_vec();
        chunk(&mut file, *b"IHDR", &head)?;
        if let Colours::Palette(colours) = &self.colours {
            chunk(&mut file, *b"PLTE", colours)?;
        }
        chunk(&mut file, *b"IDAT", &self.packed()?)?;
        chunk(&mut file, *b"IEND", &[])?;
        Ok(file)
    }

    fn packed(&self) -> io::Result<Vec<u8>> {
        let row = self.row();
        // Numbers of colours, and pixels of a bit, are nothing to be subtracted.
        let filter = if self.bits == 8 && !matches!(self.colours, Colours::Palette(_)) {
            UP
        } else {
            PLAIN
        };
        let mut to = ZlibEncoder::new(Vec::new(), Compression::fast());
        let mut above = vec![0; row];
        let mut line = vec![0; row];
        for samples in self.samples.chunks_exact(row.max(1)).take(self.height) {
            to.write_all(&[filter])?;
            if filter == PLAIN {
                to.write_all(samples)?;
                continue;
            }
            for ((line, sample), above) in line.iter_mut().zip(samples).zip(&above) {
                *line = sample.wrapping_sub(*above);
            }
            to.write_all(&line)?;
            above.copy_from_slice(samples);
        }
        to.finish()
    }
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) -> io::Result<()> {
    let length = u32::try_from(content.len()).map_err(io::Error::other)?;
    let mut sum = Crc::new();
    sum.update(&kind);
    sum.update(content);
    file.extend(length.to_be_bytes());
    file.extend(kind);
    file.extend_from_slice(content);
    file.extend(sum.sum().to_be_bytes());
    Ok(())
}

#[cfg(test)]
pub(in crate::papers) mod tests {
    use std::io::Read as _;

    use flate2::read::ZlibDecoder;

    use super::*;

    /// Takes one apart: its head, its palette, and its rows without their filters.
    pub(in crate::papers) fn read(file: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<Vec<u8>>) {
        let mut rest = file.strip_prefix(SIGNATURE).expect("it is a PNG");
        let (mut head, mut palette, mut packed) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let (length, after) = rest.split_first_chunk().expect("a length");
            let length = u32::from_be_bytes(*length) as usize;
            let (of_sum, after) = after.split_at(4 + length);
            let (sum, after) = after.split_first_chunk().expect("a sum");
            let mut crc = Crc::new();
            crc.update(of_sum);
            assert_eq!(crc.sum(), u32::from_be_bytes(*sum));
            let (kind, content) = of_sum.split_at(4);
            match kind {
                b"IHDR" => head = content.to_vec(),
                b"PLTE" => palette = content.to_vec(),
                b"IDAT" => packed.extend_from_slice(content),
                b"IEND" => break,
                _ => panic!("{kind:?}"),
            }
            rest = after;
        }
        let mut rows = Vec::new();
        ZlibDecoder::new(&*packed).read_to_end(&mut rows).expect("unpacked");
        let height = u32::from_be_bytes(*head[4..].first_chunk().expect("a height")) as usize;
        let mut above: Vec<u8> = Vec::new();
        let rows = rows.chunks_exact(rows.len() / height).map(|row| {
            let (filter, row) = row.split_first().expect("a filter");
            let row: Vec<u8> = match *filter {
                PLAIN => row.to_vec(),
                _ => (0..row.len())
                    .map(|at| row[at].wrapping_add(above.get(at).copied().unwrap_or(0)))
                    .collect(),
            };
            above.clone_from(&row);
            row
        });
        let rows = rows.collect();
        (head, palette, rows)
    }

    fn rgb(width: usize, samples: &[u8]) -> Pixels {
        Pixels {
            width,
            height: samples.len() / width / 3,
            bits: 8,
            colours: Colours::Rgb,
            samples: samples.to_vec(),
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let pixels = rgb(2, &[1, 2, 3, 4, 5, 6, 200, 100, 0, 255, 254, 253]);
        let (head, palette, rows) = read(&pixels.png().expect("written"));
        assert_eq!(head, [0, 0, 0, 2, 0, 0, 0, 2, 8, 2, 0, 0, 0]);
        assert_eq!((palette.len(), rows.concat()), (0, pixels.samples));
        let bits = Pixels {
            width: 9,
            height: 2,
            bits: 1,
            colours: Colours::Palette(vec![255, 0, 0, 0, 0, 255]),
            samples: vec![0b1010_1010, 0x80, 0, 0],
        };
        let (head, palette, rows) = read(&bits.png().expect("written"));
        assert_eq!((head[8], head[9]), (1, 3));
        assert_eq!((palette.len(), rows.concat()), (6, bits.samples));
    }

    #[test]
    fn a_large_one_becomes_smaller_by_squares() {
        let pixels = rgb(
            4,
            &[
                0, 0, 0, 10, 0, 0, 4, 4, 4, 8, 8, 8, 20, 0, 0, 30, 0, 0, 4, 4, 4, 8, 8, 8,
            ],
        );
        assert_eq!(pixels.clone().at_most(4), pixels);
        let smaller = pixels.at_most(2);
        assert_eq!((smaller.width, smaller.height), (2, 1));
        assert_eq!(smaller.samples, [15, 0, 0, 6, 6, 6]);
        let thin = rgb(1, &[0, 0, 0].repeat(5)).at_most(2);
        assert_eq!((thin.width, thin.height, thin.samples.len()), (1, 1, 3));
    }
}
