"""segctl: customer segments as code, from raw files to living segments."""

__version__ = "0.1.0"
