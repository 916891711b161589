"""Where documents come from: one file a source, all behind `interface.Source`."""
