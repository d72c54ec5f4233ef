//! Checks pictures that people upload: what they are is told by their bytes, not by their name.
//!
//! Pictures are stored as they came and never decoded here; only the size in their header is read.

use imagesize::ImageSize;

pub const ICON_MAX_BYTES: u64 = 64 * 1024;
pub const ICON_SIDE_MAX_PX: usize = 96;
pub const SCREENSHOT_MAX_BYTES: u64 = 2 * 1024 * 1024;

/// The formats that are accepted. SVG is not: it can hold scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    Png,
    Jpeg,
}

impl ImageKind {
    /// The `Content-Type` to serve the picture with.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IconError {
    #[error("the icon has {actual_bytes} bytes, the limit is {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64, actual_bytes: u64 },
    #[error("the icon is {width_px} x {height_px} px, the limit is {limit_px} x {limit_px} px")]
    Dimensions {
        limit_px: usize,
        width_px: usize,
        height_px: usize,
    },
    #[error("the icon is neither a PNG nor a JPEG picture")]
    Format,
}

impl IconError {
    /// The name of the broken rule, stable across releases.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "ICON_TOO_LARGE",
            Self::Dimensions { .. } => "ICON_DIMENSIONS",
            Self::Format => "ICON_FORMAT",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScreenshotError {
    #[error("the screenshot has {actual_bytes} bytes, the limit is {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64, actual_bytes: u64 },
    #[error("the screenshot is neither a PNG nor a JPEG picture")]
    Format,
}

impl ScreenshotError {
    /// The name of the broken rule, stable across releases.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "SCREENSHOT_TOO_LARGE",
            Self::Format => "SCREENSHOT_FORMAT",
        }
    }
}

/// Accepts a PNG or JPEG of at most [`ICON_MAX_BYTES`] and [`ICON_SIDE_MAX_PX`] on each side.
///
/// # Errors
///
/// The first rule that the picture breaks.
pub fn check(bytes: &[u8]) -> Result<ImageKind, IconError> {
    let actual_bytes = bytes.len() as u64;
    if actual_bytes > ICON_MAX_BYTES {
        return Err(IconError::TooLarge {
            limit_bytes: ICON_MAX_BYTES,
            actual_bytes,
        });
    }
    let (kind, ImageSize { width, height }) = recognise(bytes).ok_or(IconError::Format)?;
    if width.max(height) > ICON_SIDE_MAX_PX {
        return Err(IconError::Dimensions {
            limit_px: ICON_SIDE_MAX_PX,
            width_px: width,
            height_px: height,
        });
    }
    Ok(kind)
}

/// Accepts a PNG or JPEG of at most [`SCREENSHOT_MAX_BYTES`].
///
/// # Errors
///
/// The first rule that the picture breaks.
pub fn check_screenshot(bytes: &[u8]) -> Result<ImageKind, ScreenshotError> {
    let actual_bytes = bytes.len() as u64;
    if actual_bytes > SCREENSHOT_MAX_BYTES {
        return Err(ScreenshotError::TooLarge {
            limit_bytes: SCREENSHOT_MAX_BYTES,
            actual_bytes,
        });
    }
    recognise(bytes).map(|(kind, _)| kind).ok_or(ScreenshotError::Format)
}

/// A picture without any pixels is not one.
fn recognise(bytes: &[u8]) -> Option<(ImageKind, ImageSize)> {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const JPEG: &[u8] = b"\xff\xd8\xff";
    let kind = match bytes {
        _ if bytes.starts_with(PNG) => ImageKind::Png,
        _ if bytes.starts_with(JPEG) => ImageKind::Jpeg,
        _ => return None,
    };
    let size = imagesize::blob_size(bytes).ok()?;
    (size.width > 0 && size.height > 0).then_some((kind, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0]);
        bytes
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\0\x11\x08".to_vec();
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, 0xff, 0xd9]);
        bytes
    }

    #[test]
    fn an_icon_may_fill_the_limits_exactly() {
        let mut largest = png(96, 96);
        largest.resize(64 * 1024, 0);
        assert_eq!(check(&largest), Ok(ImageKind::Png));
        assert_eq!(check(&jpeg(96, 1)), Ok(ImageKind::Jpeg));
    }

    #[test]
    fn an_icon_of_one_byte_too_many_is_refused() {
        let mut large = png(96, 96);
        large.resize(64 * 1024 + 1, 0);
        let refused = check(&large).unwrap_err();
        assert_eq!(
            refused,
            IconError::TooLarge {
                limit_bytes: 65_536,
                actual_bytes: 65_537
            }
        );
        assert_eq!(refused.code(), "ICON_TOO_LARGE");
    }

    #[test]
    fn an_icon_of_one_pixel_too_many_is_refused_and_told_its_size() {
        for (width, height) in [(97, 96), (96, 97)] {
            let refused = check(&jpeg(width, height)).unwrap_err();
            assert_eq!(refused.code(), "ICON_DIMENSIONS");
            assert_eq!(
                refused.to_string(),
                format!("the icon is {width} x {height} px, the limit is 96 x 96 px")
            );
        }
    }

    #[test]
    fn what_is_not_a_picture_by_content_is_refused() {
        let gif = b"GIF89a\x01\0\x01\0\0\0\0;".to_vec();
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec();
        let half_a_png = png(8, 8)[..18].to_vec();
        for bytes in [gif, svg, half_a_png, png(0, 8), vec![], b"\xff\xd8\xff".to_vec()] {
            assert_eq!(check(&bytes), Err(IconError::Format));
            assert_eq!(check_screenshot(&bytes), Err(ScreenshotError::Format));
        }
        assert_eq!(IconError::Format.code(), "ICON_FORMAT");
        assert_eq!(ScreenshotError::Format.code(), "SCREENSHOT_FORMAT");
    }

    #[test]
    fn a_screenshot_may_have_any_dimensions_up_to_two_mebibytes() {
        let mut screenshot = png(3840, 2160);
        screenshot.resize(2 << 20, 0);
        assert_eq!(check_screenshot(&screenshot), Ok(ImageKind::Png));
        screenshot.push(0);
        let refused = check_screenshot(&screenshot).unwrap_err();
        assert_eq!(
            refused,
            ScreenshotError::TooLarge {
                limit_bytes: 2_097_152,
                actual_bytes: 2_097_153
            }
        );
        assert_eq!(refused.code(), "SCREENSHOT_TOO_LARGE");
    }

    #[test]
    fn a_picture_is_served_as_what_it_is() {
        assert_eq!(
            [ImageKind::Png, ImageKind::Jpeg].map(ImageKind::media_type),
            ["image/png", "image/jpeg"]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_check_panic(tail: Vec<u8>, jpeg: bool) {
            let head: &[u8] = if jpeg { b"\xff\xd8\xff" } else { b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" };
            let _ = check(&[head, &tail].concat());
        }
    }
}
