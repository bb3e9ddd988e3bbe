"""What every service is built from: settings, errors, logging, tokens, identity, HTTP app factory, health, metrics, database."""
