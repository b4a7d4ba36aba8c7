//! The program's mark: as the window's icon, and drawn beside its name.

/// The icon for the window and the task bar; none if the picture cannot be decoded.
pub fn window_icon() -> Option<egui::IconData> {
    let picture = image::load_from_memory_with_format(
        include_bytes!("../../assets/icon.png"),
        image::ImageFormat::Png,
    )
    .ok()?
    .into_rgba8();
    Some(egui::IconData {
        width: picture.width(),
        height: picture.height(),
        rgba: picture.into_raw(),
    })
}

/// The same picture for drawing inside the window.
pub(crate) fn mark(ctx: &egui::Context) -> Option<egui::TextureHandle> {
    let icon = window_icon()?;
    let size = [icon.width as usize, icon.height as usize];
    let pixels = egui::ColorImage::from_rgba_unmultiplied(size, &icon.rgba);
    let options = egui::TextureOptions {
        mipmap_mode: Some(egui::TextureFilter::Linear),
        ..egui::TextureOptions::LINEAR
    };
    Some(ctx.load_texture("mark", pixels, options))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_picture_decodes_and_is_square() {
        let icon = super::window_icon().expect("the picture is part of the program");
        assert_eq!((icon.width, icon.height), (256, 256));
    }
}
