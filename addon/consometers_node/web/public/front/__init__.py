"""The first page, its pictures, what it says at night, and the page to take part."""
