"""AsciiDoc as Antora sites use it: layout, navigation, references, automation. `shared_services.asciidoc` reads the text."""
