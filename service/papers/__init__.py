"""The papers a club signs and keeps, filled in from the books as pages to print or as PDFs."""
