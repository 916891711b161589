"""A question's life: asked on a platform, searched, answered, its citations checked, stored with what it rests on."""
