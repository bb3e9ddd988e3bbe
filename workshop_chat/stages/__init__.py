"""The stages of an answer, one module each: small functions that decide; `workshop_chat.pipeline` joins them."""
