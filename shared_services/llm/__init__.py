"""The language model: the gateway to it, answers without one, prompts, and the checking of what a model writes.

Nothing here knows a web framework or a workshop's store; the chat agent composes these parts.
"""
