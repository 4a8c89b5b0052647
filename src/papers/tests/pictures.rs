//! The pictures of a PDF: which are taken, as what, and what hostile ones come to.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};

use super::{
    super::{
        MAX_PICTURES,
        pdf::png::tests::read as read_png,
        pictures::{Format, Picture, unpack},
        samples::{jpeg, pdf_showing, stream},
    },
    *,
};

fn packed(content: &[u8]) -> Vec<u8> {
    let mut to = ZlibEncoder::new(Vec::new(), Compression::fast());
    to.write_all(content).expect("packed");
    to.finish().expect("packed")
}

/// A picture of pixels, packed.
fn pixels(width: u32, height: u32, about: &str, samples: &[u8]) -> Vec<u8> {
    let about = format!("/Subtype /Image /Width {width} /Height {height} /Filter /FlateDecode {about}");
    stream(&about, &packed(samples))
}

fn photo(width: u16, height: u16, components: u8) -> Vec<u8> {
    let about = format!("/Subtype /Image /Width {width} /Height {height} /Filter /DCTDecode");
    stream(&about, &jpeg(width, height, components))
}

const RGB: &str = "/BitsPerComponent 8 /ColorSpace /DeviceRGB";
const GRAY: &str = "/BitsPerComponent 8 /ColorSpace /DeviceGray";

async fn pictures_of(bytes: &[u8]) -> (Paper, Vec<Picture>) {
    let read = read_by_process(bytes).await.expect("read");
    (read.report.paper, unpack(read.pictures))
}

fn rows(picture: &Picture) -> (Vec<u8>, Vec<u8>, Vec<Vec<u8>>) {
    assert_eq!(picture.format, Format::Png);
    read_png(&picture.bytes)
}

#[tokio::test]
async fn a_scan_without_text_is_its_pictures_in_the_order_of_its_pages() {
    let samples: Vec<u8> = (0..70 * 90 * 3)
        .map(|at| u8::try_from(at % 251).expect("small"))
        .collect();
    let scan = pdf_showing(
        &[pixels(70, 90, RGB, &samples), photo(600, 800, 3)],
        &["q 612 0 0 792 0 0 cm /P1 Do Q", "/P0 Do", "/P1 Do /P0 Do"],
    );
    let (paper, pictures) = pictures_of(&scan).await;
    assert_eq!((paper.parts, paper.characters, paper.blank), (3, 0, 3));
    assert_eq!((paper.pictures, paper.pictures_left_out), (2, 0), "each once");
    let seen: Vec<_> = pictures.iter().map(|picture| (picture.page, picture.format)).collect();
    assert_eq!(seen, [(1, Format::Jpeg), (2, Format::Png)]);
    assert_eq!(pictures[0].bytes, jpeg(600, 800, 3), "as it is");
    let (head, _, rows) = rows(&pictures[1]);
    assert_eq!(head, [0, 0, 0, 70, 0, 0, 0, 90, 8, 2, 0, 0, 0]);
    assert_eq!(rows.concat(), samples);
}

#[tokio::test]
async fn gray_and_few_colours_keep_their_bits() {
    let gray: Vec<u8> = (0..64 * 64).map(|at| u8::try_from(at % 256).expect("small")).collect();
    let bits: Vec<u8> = (0..9 * 64).map(|at| u8::try_from(at % 256).expect("small")).collect();
    let table = "/BitsPerComponent 1 /ColorSpace [/Indexed /DeviceRGB 1 <FF00000000FF>]";
    let profile = stream("/N 1", b"");
    let document = pdf_showing(
        &[
            pixels(64, 64, &format!("{GRAY} /Decode [1 0]"), &gray),
            pixels(72, 64, table, &bits),
            pixels(72, 64, "/BitsPerComponent 1 /ColorSpace [/ICCBased 7 0 R]", &bits),
            profile,
            pixels(
                64,
                64,
                "/BitsPerComponent 8 /ColorSpace [/Indexed /DeviceGray 1 <00FF>]",
                &gray,
            ),
        ],
        &["/P0 Do /P1 Do /P2 Do /P4 Do"],
    );
    let (paper, pictures) = pictures_of(&document).await;
    assert_eq!((paper.pictures, paper.pictures_left_out), (4, 0));
    let (head, _, inverted) = rows(&pictures[0]);
    assert_eq!((head[8], head[9]), (8, 0));
    assert!(inverted.concat().iter().zip(&gray).all(|(one, other)| *one == !other));
    let (head, palette, of_table) = rows(&pictures[1]);
    assert_eq!((head[8], head[9], palette), (1, 3, vec![255, 0, 0, 0, 0, 255]));
    assert_eq!(of_table.concat(), bits);
    let (head, _, black_and_white) = rows(&pictures[2]);
    assert_eq!((head[8], head[9], black_and_white.concat()), (1, 0, bits));
    let (_, palette, _) = rows(&pictures[3]);
    assert_eq!(
        (palette.len(), &palette[..6]),
        (768, &[0, 0, 0, 255, 255, 255][..]),
        "filled up"
    );
}

#[tokio::test]
async fn a_large_page_is_made_as_small_as_models_look_at() {
    let samples = vec![200; 4100 * 100];
    let (paper, pictures) = pictures_of(&pdf_showing(&[pixels(4100, 100, GRAY, &samples)], &["/P0 Do"])).await;
    assert_eq!((paper.pictures, paper.pictures_left_out), (1, 0));
    let (head, _, rows) = rows(&pictures[0]);
    assert_eq!(head[..8], [0, 0, 5, 86, 0, 0, 0, 33], "1366 by 33");
    assert!(rows.concat().iter().all(|sample| *sample == 200));
}

#[tokio::test]
async fn what_is_packed_twice_and_rows_with_a_filter_are_read() {
    let twice = stream(
        "/Subtype /Image /Width 100 /Height 100 /Filter [/FlateDecode /DCTDecode]",
        &packed(&jpeg(100, 100, 1)),
    );
    // Each row is what it differs by from the one above.
    let mut rows_up = Vec::new();
    for row in 0..64 {
        rows_up.push(2);
        rows_up.extend([if row == 0 { 7 } else { 1 }; 64]);
    }
    let about = format!("{GRAY} /DecodeParms << /Predictor 15 /Colors 1 /BitsPerComponent 8 /Columns 64 >>");
    let (_, pictures) = pictures_of(&pdf_showing(
        &[twice, pixels(64, 64, &about, &rows_up)],
        &["/P0 Do /P1 Do"],
    ))
    .await;
    assert_eq!(pictures[0].bytes, jpeg(100, 100, 1));
    let (_, _, samples) = rows(&pictures[1]);
    assert_eq!((samples[0][0], samples[63][63]), (7, 70));
}

#[tokio::test]
async fn what_shows_nothing_is_no_picture() {
    let drawn = "BT /F1 12 Tf 72 700 Td (Words) Tj ET /P0 Do /P1 Do /P2 Do";
    let document = pdf_showing(
        &[
            photo(63, 500, 3),
            pixels(100, 100, "/BitsPerComponent 1 /ImageMask true", &[0; 1300]),
            photo(200, 200, 3),
            photo(300, 300, 3),
        ],
        &[drawn],
    );
    let (paper, pictures) = pictures_of(&document).await;
    assert_eq!((paper.pictures, paper.pictures_left_out, paper.characters), (1, 0, 5));
    assert_eq!(pictures[0].bytes, jpeg(200, 200, 3), "nobody shows the last one");
}

#[tokio::test]
async fn more_than_there_is_room_for_are_counted() {
    let many: Vec<_> = (0..MAX_PICTURES + 5)
        .map(|at| photo(100 + u16::try_from(at).expect("few"), 100, 3))
        .collect();
    let page: String = (0..many.len()).map(|at| format!("/P{at} Do ")).collect();
    let (paper, pictures) = pictures_of(&pdf_showing(&many, &[&page])).await;
    assert_eq!((paper.pictures, paper.pictures_left_out), (20, 5));
    assert_eq!(pictures.len(), MAX_PICTURES);
}

#[tokio::test]
async fn hostile_pictures_are_left_out_and_the_rest_is_read() {
    let huge = |width: u64, height: u64| {
        let about = format!("/Subtype /Image /Width {width} /Height {height} /Filter /FlateDecode {RGB}");
        stream(&about, &packed(&[0; 1000]))
    };
    let bomb = pixels(100, 100, RGB, &vec![0; 16 << 20]);
    let bomb_twice = stream(
        &format!("/Subtype /Image /Width 100 /Height 100 /Filter [/FlateDecode /FlateDecode] {RGB}"),
        &packed(&packed(&vec![0; 16 << 20])),
    );
    let lies = stream(
        "/Subtype /Image /Width 100 /Height 100 /Filter /DCTDecode",
        &jpeg(60_000, 60_000, 3),
    );
    // The first has number 4, so this is the last but one.
    let circle = "/BitsPerComponent 8 /ColorSpace 17 0 R";
    let objects = [
        huge(u64::from(u32::MAX), u64::from(u32::MAX)),
        huge(i64::MAX as u64, 100),
        huge(8000, 8000),
        bomb,
        bomb_twice,
        lies,
        photo(100, 100, 4),
        stream(
            "/Subtype /Image /Width 100 /Height 100 /Filter /DCTDecode",
            b"\xFF\xD8\xFF",
        ),
        stream(
            "/Subtype /Image /Width 100 /Height 100 /Filter /JBIG2Decode",
            b"anything",
        ),
        pixels(100, 100, RGB, &[0; 29_999]),
        pixels(100, 100, "/BitsPerComponent 8 /ColorSpace /DeviceCMYK", &[0; 40_000]),
        pixels(
            100,
            100,
            &format!("{RGB} /DecodeParms << /Predictor 15 /Colors 1000000 /Columns 1000000000 >>"),
            &[0; 30_000],
        ),
        pixels(100, 100, circle, &[0; 10_000]),
        b"[/Indexed 17 0 R 255 <00>]".to_vec(),
        photo(100, 100, 3),
    ];
    // Of these the table of colours is no picture.
    let (left_out, taken) = (objects.len() - 2, 1);
    let drawn: String = (0..objects.len()).map(|at| format!("/P{at} Do ")).collect();
    let drawn = format!("BT /F1 12 Tf 72 700 Td (Words) Tj ET {drawn}");
    let (paper, pictures) = pictures_of(&pdf_showing(&objects, &[&drawn])).await;
    assert_eq!(paper.characters, 5);
    assert_eq!(pictures.len(), taken, "{paper:?}");
    assert_eq!(pictures[0].bytes, jpeg(100, 100, 3));
    assert_eq!(paper.pictures_left_out as usize, left_out);
    // Nothing but such pictures is nothing at all.
    let drawn: String = (0..objects.len() - 1).map(|at| format!("/P{at} Do ")).collect();
    assert_eq!(
        by_process(&pdf_showing(&objects, &[&drawn])).await,
        Err(PaperFault::NoText)
    );
}
