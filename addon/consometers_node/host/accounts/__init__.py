"""The spaces of households at a host: who may open which home, and on what terms."""
