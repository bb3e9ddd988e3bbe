-- What is left of a document when it is only read and searched: no containers, no raw markup, tables of one line a cell.

local function shown(inlines)
  return pandoc.utils.stringify(inlines):gsub("%s", "")
end

function Div(div) return div.content end
function Span(span) return span.content end
function RawBlock() return {} end
function RawInline() return {} end

-- permanent links beside headings
function Link(link)
  local text = shown(link.content)
  if text == "¶" or text == "#" then return {} end
end

-- what such a link leaves behind
function Header(header)
  local content = header.content
  while #content > 0 and content[#content].t == "Space" do content:remove() end
  return header
end

function Image(image)
  if image.src:match("^data:") then return image.caption end
end

local function flat(rows)
  for _, row in ipairs(rows) do
    for _, cell in ipairs(row.cells) do
      cell.contents = { pandoc.Plain(pandoc.utils.blocks_to_inlines(cell.contents, { pandoc.Space() })) }
    end
  end
end

function Table(tbl)
  for index, spec in ipairs(tbl.colspecs) do tbl.colspecs[index] = { spec[1] } end
  flat(tbl.head.rows)
  flat(tbl.foot.rows)
  for _, body in ipairs(tbl.bodies) do
    flat(body.head)
    flat(body.body)
  end
  return tbl
end

function Pandoc(doc)
  local title = doc.meta.title
  if title == nil or shown(title) == "" then return doc end
  for _, block in ipairs(doc.blocks) do
    if block.t == "Header" and block.level == 1 then return doc end
  end
  doc.blocks:insert(1, pandoc.Header(1, pandoc.Inlines(pandoc.utils.stringify(title))))
  return doc
end
