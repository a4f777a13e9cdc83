"""A host's operator, for its terms."""

from consometers_node.host.accounts.terms import Operator

OPERATOR = Operator("Foyers de Kersabiec", "contact@foyers.example", "Kersabiec")
