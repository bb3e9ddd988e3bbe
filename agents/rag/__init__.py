"""The RAG agent: what is known of each workshop. It indexes published versions and finds passages inside one scope."""
