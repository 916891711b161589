"""What the assistant says: prompts for models (`*.j2`) and phrases for people (`phrases/<language>.ftl`)."""
