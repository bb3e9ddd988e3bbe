"""Small models with random weights, in the form that sentence-transformers saves: an export of one takes seconds."""

from pathlib import Path
from pydoc_data.topics import topics

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding, Transformer
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import WordPieceTrainer
from transformers import BertConfig, BertModel, BertTokenizerFast

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.train_from_iterator(topics.values(), WordPieceTrainer(vocab_size=2000, special_tokens=SPECIAL, show_progress=False))
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer


def bert(folder: Path) -> Path:
    """A BERT of two layers that reads 64 tokens and takes their mean."""
    torch.manual_seed(7)
    parts = folder / "parts"
    config = BertConfig(
        vocab_size=2000, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128, initializer_range=0.2
    )
    BertModel(config).save_pretrained(parts)
    BertTokenizerFast(tokenizer_object=_tokenizer(), model_max_length=64).save_pretrained(parts)
    transformer = Transformer(str(parts), max_seq_length=64)
    model = SentenceTransformer(modules=[transformer, Pooling(64)], device="cpu")
    model.save(str(folder / "small-bert"), create_model_card=False)
    return folder / "small-bert"


def static(folder: Path) -> Path:
    """Word vectors that are added up: a model without attention, which the converter is not given."""
    torch.manual_seed(7)
    model = SentenceTransformer(modules=[StaticEmbedding(_tokenizer(), embedding_dim=32)], device="cpu")
    model.save(str(folder / "small-static"), create_model_card=False)
    return folder / "small-static"
