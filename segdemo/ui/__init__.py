"""The page: the only folder that knows Gradio."""
